//! Files for the comparison: scalars in every context, and a random mixture of documents.

use std::fmt::Write as _;

use fastrand::Rng;

/// One file.
pub(super) struct Case {
    /// Name of the file and of the object in it.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
}

/// Plain scalars whose meaning readers disagree about, and some that they agree about.
const WORDS: &str = "
    no No NO n N yes y Y on On off OFF true True TRUE tRUE false ~ null Null NULL nULL nil none 0 -0 +0
    1 -1 +1 00 010 -010 08 09 018 0o10 0O10 -0o10 0o8 0x10 0X1f -0x10 0x 0xg 0b11 -0b11 0b 0b2 +0b1
    1_000 1__0 _1 1_ 0_ 0_1 0x_1 0x1_f 1_.5 1._5 ._5 1e_3 12:30 12:30:45 190:20:30 1:60 12:30.5 -12:30
    1.0 1.10 1. .5 -.5 +.5 +1.5 1.5.2 .. . - + -- -1- 1-2 1+1 1e3 1E3 1e+3 1e-3 1.5e3 1.e3 .5e1 1e e3
    1e3.5 -1e3 +1e3 1e999 -1e999 1e-999 1e20 1e21 1e22 123456789012345678901 12345678901234567890 0.1
    1e-7 1e-6 100000000000000000000000.0 1.7976931348623157e308 9223372036854775807 9223372036854775808
    -9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 9007199254740993
    0x7fffffffffffffff 0xffffffffffffffff 0777777777777777777777 .inf .Inf .INF +.inf -.inf -.Inf +.INF
    .iNF inf Infinity .nan .NaN .NAN nan 2026-01-05 2026-1-5 2026-01-05T10:00:00Z
    2026-01-05t10:00:00.5+01:00 2026-13-45 = << < ! x! a#b a:b http://x:1/y ü 日本 😀 -a ?a :a a,b a] {a [a
    %a @a `a |a >a & * a'b ' 1,000 $1 0.0.0 1.2.3 v1.2 1.2-rc sha256:00 nginx:1.2 nginx:1.2@sha256:00
    yes# 0. 00.5 01.5 -01 +010 0e0 0e1 0x1p4 1p4 ١ # --- ... -. 0x1.8 1_e3 0b1_0 0o1_0 0o_1 .5_5 5._5
    .5_5_5 .5__5 .5_ .5_e1 .5e1_0 .5e_1 1.5_ +.5_5 +._5 -._5 -_5 +0x1 +0o1 -0b_1
";

/// The same with blanks, quotes and escapes in them.
const SPACED: &[&str] = &[
    "",
    "2026-01-05 10:00:00",
    "a: b",
    "a b",
    "a  b",
    "a\u{a0}b",
    "- a",
    "a\"b",
    "\"",
    "\\n",
    "a\\nb",
    "1 000",
    "true ",
    "yes #",
    "\t1",
    "1\t",
    "# x",
    "--- x",
];

/// Values written in more than plain words.
const WRITTEN: &[&str] = &[
    "'it''s'",
    "\"a\\tb\"",
    "\"\\x41\\u00fc\\U0001F600\"",
    "\"\\ud83d\\ude00\"",
    "\"\\e\\a\\b\\v\\f\\r\\n\\0\"",
    "\"\\N\\_\\L\\P\"",
    "\"\\/\"",
    "\"\\q\"",
    "\"\\\\\"",
    "\"a\n    b\"",
    "\"a\n\n    b\"",
    "\"a \\\n    b\"",
    "\"a\\\n    \\ b\"",
    "'a\n    b'",
    "'a\n\n\n    b'",
    "a\n    b",
    "a\n\n    b",
    "\n    a",
    "\n    'a'",
    "a # b",
    "a #b",
    "'a' # b",
    "'a'#b",
    "\"a\"b",
    "!!str 1",
    "!!str",
    "!!str yes",
    "!!str ''",
    "!!int 1",
    "!!int '1'",
    "!!int x",
    "!!int 1.5",
    "!!float 1",
    "!!float 1.5",
    "!!float '1'",
    "!!float .inf",
    "!!float x",
    "!!bool yes",
    "!!bool 'yes'",
    "!!bool 1",
    "!!bool x",
    "!!null ~",
    "!!null ''",
    "!!null x",
    "!!null",
    "! 1",
    "! yes",
    "!x 1",
    "!!x 1",
    "!<tag:yaml.org,2002:str> 1",
    "!<tag:yaml.org,2002:int> '1'",
    "!!timestamp 2026-01-05",
    "!!timestamp x",
    "!!merge <<",
    "!!binary aGVsbG8=",
    "!!binary aGVs\n    bG8=",
    "!!binary |\n    aGVs\n    bG8=\n",
    "!!binary '!'",
    "!!binary aGVsbG8",
    "!!binary /w==",
    "!!binary ''",
    "!!binary w7w=",
    "!!map {}",
    "!!seq []",
    "!!seq {}",
    "!!map []",
    "!!map x",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!str {}",
    "!!str [a]",
    "[]",
    "{}",
    "[,]",
    "[a,]",
    "[a,,b]",
    "{a}",
    "{a,}",
    "{a: }",
    "{a:1}",
    "{\"a\":1}",
    "{'a':1}",
    "{a: 1, b}",
    "[a: 1]",
    "[a: 1, b: 2]",
    "[{a: 1}]",
    "{? a : b}",
    "{? a}",
    "[? a : b]",
    "{a: [b, {c: d}]}",
    "[\n    a,\n    b\n  ]",
    "[\n  a\n  ]",
    "{\n    a: 1, # x\n    b: 2\n  }",
    "[a\n    b]",
    "{a b: c d}",
    "[a:b, c]",
    "[http://x:1, y]",
    "[a, b",
    "{a",
    "[a]]",
    "[a] b",
    "{a: 1} # x",
    "{a: 1}# x",
    "&a 1",
    "&a",
    "&a\n  l: *a",
    "&a [1]\n  l: *a",
    "&a {x: 1}\n  l: *a",
    "&a x\n  l: &a y\n  m: *a",
    "*b",
    "&a &b x",
    "&a *a",
    "&a-b_c x\n  l: *a-b_c",
    "&a: x",
    "&a 'x'\n  *a : y",
    "&a x\n  l: [*a, *a]",
    "&a x\n  l: {*a : 1}",
    "&a x\n  l: {k: *a}",
    "&a {x: 1, y: 2}\n  l: {<<: *a, y: 3}",
    "&a {x: 1}\n  l: {<<: [*a, {z: 1}]}",
    "&a {x: 1}\n  l:\n    <<: *a\n    x: 2",
    "&a {x: 1}\n  l: {<<: *a, <<: *a}",
    "{<<: ~}",
    "{<<: x}",
    "{<<: []}",
    "{<<: [x]}",
    "{<<: {a: 1}, b: 2}",
    "{'<<': {a: 1}}",
    "{!!str <<: {a: 1}}",
    "{!!merge <<: {a: 1}}",
    "&a {x: {y: 1}}\n  l: {<<: *a, x: {z: 2}}",
    "&a {x: 1}\n  m: &b {<<: *a, y: 2}\n  l: {<<: *b}",
    "{x: 0, <<: {x: 1}}",
    "{x: 0, <<: {y: 1}}",
    "{<<: [{x: 1}, {x: 2}]}",
    "{<<: {yes: 1}, 'true': 2}",
    "\n  - a\n  - b",
    "\n    - a\n    - b",
    "\n  - - a\n    - b\n  - c",
    "\n  -\n    a\n  - ~",
    "\n    x: 1\n    y:\n      z: 2",
    "\n    x: 1\n     y: 2",
    "\n   x: 1\n  y: 2",
    "\n  - x: 1\n    y: 2\n  - x: 3",
    "\n  -   x: 1\n      y: 2",
    "\n  - x: 1\n   y: 2",
    "\n\tx: 1",
    "\n    x:\t1",
    "\n  -\ta",
    "\n    ? x\n    : 1",
    "\n    ? x\n    ? y",
    "\n    ? [x]\n    : 1",
    "{1: a}",
    "{1.5: a}",
    "{yes: a}",
    "{~: a}",
    "{'': a}",
    "{: a}",
    "{0x10: a}",
    "{010: a}",
    "{1e3: a}",
    "{2026-01-05: a}",
    "{1e10: a}",
    "{.5: a}",
    "{1e-5: a}",
    "{123456789: a}",
    "{1234567.5: a}",
    "{0.1: a}",
    "{!!str 1: a}",
    "{!!int 1: a}",
    "{.inf: a}",
    "{-0: a}",
    "{9223372036854775808: a}",
    "{? {a: 1} : 2}",
    "{on: a, \"true\": b}",
    "{1: a, \"1\": b}",
    "{a: 1, a: 2}",
    "{a: 1, 'a': 2}",
    "{a: 1, \"\\x61\": 2}",
    "|\n    a\n",
    "|-\n    a\n",
    "|+\n    a\n",
    "|\n    a\n\n\n",
    "|-\n    a\n\n\n",
    "|+\n    a\n\n\n",
    ">\n    a\n    b\n",
    ">-\n    a\n    b\n",
    ">+\n    a\n    b\n\n",
    ">\n    a\n\n    b\n",
    ">\n    a\n     b\n    c\n",
    ">\n     a\n    b\n",
    "|\n     a\n    b\n",
    "|1\n   a\n",
    "|2\n    a\n",
    "|3\n    a\n",
    "|2-\n     a\n",
    "|-2\n     a\n",
    "|9\n  a\n",
    "|0\n  a\n",
    "|\n",
    "|-\n",
    "|+\n",
    "|+\n\n\n",
    "|\n\n    a\n",
    "|\n\n\n    a\n\n    b\n",
    "| # x\n    a\n",
    "|# x\n    a\n",
    "| x\n    a\n",
    "|\n    # a\n    b # c\n",
    "|\n    a\n  # b\n",
    "|\n    a\n   # b\n  l: 1",
    "|\n  \ta\n",
    "|\n    a\tb \n    c  \n",
    ">\n    a \n    b\n",
    ">\n    - a\n    - b\n",
    ">\n\n    a\n",
    "|\n    ---\n    a\n",
    "|\n    a: b\n    c: {{ d }}\n",
    ">-\n    a\n\n\n    b\n",
    ">\n    a\n\n     b\n\n    c\n",
    "!!str |\n    1\n",
    "&a |\n    x\n  l: *a",
    "|\n    é\n    日本\n",
    "|+\n    a\n  l: 1",
    "x\u{85}y",
    "'x\u{2028}y'",
    "\"x\u{2029}y\"",
    "|\n    x\u{85}y\n",
    "x # c\u{2028}  y: z",
    "\"\\u2028\"",
];

/// Whole files; `NAME` is the name of the object.
const FILES: &[&str] = &[
    "\u{feff}kind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: 1}\n",
    "%YAML 1.1\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: yes}\n",
    "%YAML 1.2\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: yes}\n",
    "%TAG ! tag:a,2000:\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: yes}\n",
    "# c\n\n---\n# d\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: b}\n...\n",
    "---\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: b}\n---\n",
    "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: b}\n--- # x\n# y\n",
    "--- \nkind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata: {a: b}",
    "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"NAME\"},\"data\":{\"a\":1.0,\"b\":\"\\u00fc\\/\",\"c\":[1e3,null]}}",
    "{\n\t\"kind\": \"ConfigMap\",\n\t\"apiVersion\": \"v1\",\n\t\"metadata\": {\"name\": \"NAME\"},\n\t\"data\": {\"a\": true}\n}\n",
    "  kind: ConfigMap\n  apiVersion: v1\n  metadata: {name: NAME}\n  data: {a: b}\n",
    "kind: ConfigMap\r\napiVersion: v1\r\nmetadata: {name: NAME}\r\ndata:\r\n  a: |\r\n    x\r\n    y\r\n  b: \"p\r\n    q\"\r\n  c: z # e\r\n",
    "kind: ConfigMap\rapiVersion: v1\rmetadata: {name: NAME}\rdata: {a: b}\r",
    "kind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata:\n  a: x\u{85}y\n  b: x\u{2028}y\n",
    "\"kind\": ConfigMap\n? apiVersion\n: v1\n'metadata': {\"name\":NAME}\ndata: {a: b}\n",
    "kind: ConfigMap # é\napiVersion: v1\nmetadata:\n  name: \"NAME\"\ndata:\n\n\n  a: b\n#end",
    "kind: ConfigMapList\napiVersion: v1\nitems:\n- metadata: {name: NAME}\n  data: {a: yes}\n",
    "kind: List\napiVersion: v1\nitems:\n- kind: ConfigMap\n  apiVersion: v1\n  metadata: {name: NAME}\n  data: {a: 0644}\n",
];

/// Random documents, besides the products of the lists.
const RANDOM: usize = 300;

/// Random words that look like numbers.
const NUMBERS: usize = 1_500;

pub(super) fn cases() -> Vec<Case> {
    let mut data = Vec::new();
    let plain: Vec<&str> = WORDS.split_whitespace().chain(SPACED.iter().copied()).collect();
    for plain in &plain {
        let quoted = plain.replace('\'', "''");
        data.extend([
            format!("  k: {plain}"),
            format!("  k: [{plain}, x]"),
            format!("  k: {{a: {plain}}}"),
            format!("  k:\n  - {plain}\n  - x"),
            format!("  {plain}: x"),
            format!("  k: '{quoted}'"),
            format!("  k: \"{plain}\""),
            format!("  k: &a {plain}\n  l: *a"),
            format!("  <<: {{k: {plain}}}\n  l: x"),
            format!("  k: |-\n    {plain}\n  l: >\n    {plain}"),
        ]);
    }
    for written in WRITTEN {
        data.push(format!("  k: {written}"));
        data.push(format!("  k: {written}\n  z: end\n"));
    }
    let seed = crate::seed();
    println!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    data.extend((0..RANDOM).map(|_| mixture(&mut random, &plain)));
    data.extend((0..NUMBERS).map(|_| format!("  k: {}", number_like(&mut random))));
    let manifests = data
        .into_iter()
        .map(|data| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: NAME}}\ndata:\n{data}\n"));
    let files = FILES.iter().map(|text| (*text).to_owned());
    let number = |(number, text): (usize, String)| {
        let name = format!("c{number:05}");
        Case { text: text.replace("NAME", &name), name }
    };
    manifests.chain(files).enumerate().map(number).collect()
}

/// What numbers, dates and times are made of.
const ALPHABET: &[u8] = b"00112345678900__..::--++eExXoObBaAfFTtZzinfnanyYs~";

/// A word that could be a number.
fn number_like(random: &mut Rng) -> String {
    (0..random.usize(1..9)).map(|_| char::from(ALPHABET[random.usize(..ALPHABET.len())])).collect()
}

/// Some values under keys of their own; each anchor has another name.
fn mixture(random: &mut Rng, plain: &[&str]) -> String {
    let mut text = String::new();
    for key in 0..random.usize(2..7) {
        let words = if random.bool() { plain } else { WRITTEN };
        let value = words[random.usize(..words.len())];
        if value.starts_with("&a: ") {
            continue; // its name could not be changed
        }
        let value = value.replace("&a", &format!("&a{key}")).replace("*a", &format!("*a{key}"));
        // The keys that a value brings along must not stand twice.
        let value = ["l", "m", "z"]
            .iter()
            .fold(value, |value, own| value.replace(&format!("\n  {own}:"), &format!("\n  {own}{key}:")));
        let tail = ["", " # c", "\n", "\n  # c"][random.usize(..4)];
        writeln!(text, "  k{key}: {value}{tail}").expect("a String takes all");
    }
    if random.u8(..4) == 0 { text.replace('\n', "\r\n") } else { text }
}

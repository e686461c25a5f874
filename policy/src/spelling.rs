//! "Did you mean": the known word that is nearest to a misspelt one.
//!
//! Called by every reader of keys: annotations here, the configuration in the agent.

/// Returns the word at the least edit distance, if it is near enough to be meant; case is no difference.
pub fn nearest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_ascii_lowercase();
    let limit = (text.len() / 3).clamp(1, 3);
    words
        .into_iter()
        // A long unknown word is not measured: it cannot be near, and the work is the product of the lengths.
        .filter(|word| text.len().abs_diff(word.len()) <= limit)
        .map(|word| (distance(text.as_bytes(), word.to_ascii_lowercase().as_bytes()), word))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, word)| word)
}

/// Counts the insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut before: Option<(u8, Vec<usize>)> = None;
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (j, (y, above)) in b.iter().zip(row.iter().skip(1)).enumerate() {
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            let crossed = before.as_ref().filter(|(w, _)| w == y && j > 0 && b.get(j - 1) == Some(x));
            if let Some(corner) = crossed.and_then(|(_, row)| row.get(j - 1)) {
                left = left.min(corner + 1);
            }
            diagonal = *above;
            next.push(left);
        }
        before = Some((*x, row));
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_word_is_suggested_and_far_ones_are_not() {
        let words = ["policy", "tags", "ignore-tags", "hold", "ignore"];
        assert_eq!(nearest("polcy", words), Some("policy"));
        assert_eq!(nearest("Policy", words), Some("policy"));
        assert_eq!(nearest("ignore_tags", words), Some("ignore-tags"));
        assert_eq!(nearest("tag", words), Some("tags"));
        assert_eq!(nearest("completely-else", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(nearest("hodl", words), Some("hold"));
        assert_eq!(nearest("allowinsecure", ["allowInsecure"]), Some("allowInsecure"));
        assert_eq!(distance(b"kitten", b"sitting"), 3);
        assert_eq!(distance(b"ulr", b"url"), 1);
        assert_eq!(distance(b"abcd", b"badc"), 2);
    }
}

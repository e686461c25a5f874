//! Listing of tags, page by page, under limits; complete or a failure.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use http::{Method, StatusCode};
use reqwest::Response;
use serde::Deserialize;
use tidegate_policy::reference::{Repository, Tag};
use url::Url;

use super::link;
use super::oci::OciRegistry;
use super::transport::{read_body, show};
use crate::error::Failure;

/// Page sizes to ask for: some hosts refuse a thousand, some refuse to be asked.
const PAGE_SIZES: [Option<usize>; 3] = [Some(1000), Some(100), None];
const MAX_PAGES: usize = 200;
const MAX_TAGS: usize = 200_000;
const MAX_PAGE_BYTES: usize = 32 << 20;
const MAX_TOTAL_BYTES: usize = 64 << 20;

impl OciRegistry {
    /// Lists all tags of a repository that follow the grammar, each once, in the registry's order.
    pub(super) async fn list_tags(&self, repository: &Repository) -> Result<Vec<String>, Failure> {
        let start = self.endpoint(repository, ["tags", "list"])?;
        let mut listing = Listing::new(start.clone());
        let (mut response, page_size) = self.first_page(repository, &start).await?;
        let mut probing = false;
        loop {
            let url = response.url().clone();
            let linked = link::next(response.headers(), &url).map_err(|error| {
                listing.incomplete(&error.to_string()).hint("the rest of the list is not trusted")
            })?;
            let body = read_body(response, listing.room()).await?;
            let page = listing.read(&body)?;
            if probing && linked.is_none() && listing.knows(&page) {
                // It does not page at all: what came first was everything.
                return Ok(listing.finish());
            }
            probing = linked.is_none();
            let next = linked.or_else(|| beyond(&url, page_size, &page));
            listing.add(page)?;
            let Some(next) = next else { return Ok(listing.finish()) };
            listing.visit(&next)?;
            response = self.ask(Method::GET, &next, None, &repository.path).await?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND if probing => return Ok(listing.finish()),
                _ => return Err(self.transport.failure(response).await),
            }
        }
    }

    /// Asks for the first page with the largest page size that the host takes, which is remembered.
    async fn first_page(
        &self,
        repository: &Repository,
        start: &Url,
    ) -> Result<(Response, Option<usize>), Failure> {
        let known = self.page_size.load(Ordering::Relaxed);
        for (index, page_size) in PAGE_SIZES.into_iter().enumerate().skip(known) {
            let mut url = start.clone();
            if let Some(page_size) = page_size {
                url.query_pairs_mut().append_pair("n", &page_size.to_string());
            }
            let response = self.ask(Method::GET, &url, None, &repository.path).await?;
            match response.status() {
                StatusCode::OK => {
                    self.page_size.store(index, Ordering::Relaxed);
                    return Ok((response, page_size));
                }
                StatusCode::BAD_REQUEST
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNPROCESSABLE_ENTITY
                    if page_size.is_some() => {}
                _ => return Err(self.transport.failure(response).await),
            }
        }
        Err(Failure::bug("every page size was refused, also none"))
    }
}

/// Where a next page would be, were a full page without a `Link` not the last: some hosts cut lists silently.
fn beyond(url: &Url, page_size: Option<usize>, page: &[String]) -> Option<Url> {
    let page_size = page_size.filter(|&size| size == page.len())?;
    let mut next = url.clone();
    next.query_pairs_mut().clear().append_pair("n", &page_size.to_string()).append_pair("last", page.last()?);
    Some(next)
}

#[derive(Deserialize)]
struct PageBody {
    /// Must be there, and may be null: some hosts answer so for a repository without tags.
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<Vec<String>>,
}

/// The pages read so far.
struct Listing {
    start: Url,
    tags: Vec<String>,
    /// First tags of the pages: a page that begins like an earlier one is that page again.
    beginnings: HashSet<String>,
    visited: HashSet<Url>,
    bytes: usize,
}

impl Listing {
    fn new(start: Url) -> Self {
        Self { start, tags: Vec::new(), beginnings: HashSet::new(), visited: HashSet::new(), bytes: 0 }
    }

    /// How many bytes the next page may have.
    fn room(&self) -> usize {
        MAX_PAGE_BYTES.min(MAX_TOTAL_BYTES - self.bytes)
    }

    fn read(&mut self, body: &[u8]) -> Result<Vec<String>, Failure> {
        self.bytes += body.len();
        match serde_json::from_slice::<PageBody>(body) {
            Ok(page) => Ok(page.tags.unwrap_or_default()),
            Err(error) if error.is_eof() => {
                let failure = self.incomplete("a page ends too early");
                Err(failure.after(None).because(error))
            }
            Err(error) => Err(self
                .incomplete("a page is not a list of tags")
                .because(error)
                .hint("is this host a container registry, or a login page before one?")),
        }
    }

    fn knows(&self, page: &[String]) -> bool {
        page.first().is_none_or(|first| self.beginnings.contains(first))
    }

    fn add(&mut self, page: Vec<String>) -> Result<(), Failure> {
        if let Some(first) = page.first()
            && !self.beginnings.insert(first.clone())
        {
            return Err(self.incomplete("its pages repeat"));
        }
        self.tags.extend(page.into_iter().filter(|tag| Tag::parse(tag).is_ok()));
        if self.tags.len() > MAX_TAGS {
            return Err(self
                .incomplete(&format!("it has more than {MAX_TAGS} tags"))
                .hint("delete old tags from the registry"));
        }
        Ok(())
    }

    fn visit(&mut self, next: &Url) -> Result<(), Failure> {
        if !self.visited.insert(next.clone()) {
            return Err(self.incomplete("its pages go in a circle"));
        }
        if self.visited.len() >= MAX_PAGES {
            return Err(self.incomplete(&format!("it has more than {MAX_PAGES} pages")));
        }
        Ok(())
    }

    /// The tags, each once, where it came first.
    fn finish(mut self) -> Vec<String> {
        if self.beginnings.len() > 1 {
            let mut seen = HashSet::with_capacity(self.tags.len());
            let first: Vec<bool> = self.tags.iter().map(|tag| seen.insert(tag.as_str())).collect();
            drop(seen);
            let mut first = first.into_iter();
            self.tags.retain(|_| first.next().unwrap_or(true));
        }
        self.tags
    }

    fn incomplete(&self, why: &str) -> Failure {
        Failure::reject(format!("the listing of {} is not complete: {why}", show(&self.start))).partial()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pages: &[&str], expect: &str) {
        let mut listing = Listing::new(Url::parse("https://r.example.com/v2/a/tags/list").expect("a URL"));
        let read = pages.iter().try_for_each(|page| {
            let page = listing.read(page.as_bytes())?;
            listing.add(page)
        });
        let got = match read {
            Ok(()) => listing.finish().join(" "),
            Err(failure) => failure.message.rsplit(": ").next().unwrap_or_default().to_owned(),
        };
        assert_eq!(got, expect, "{pages:?}");
    }

    #[test]
    fn pages_are_joined_in_order_and_each_tag_is_there_once() {
        check(&[r#"{"tags":["b","a"]}"#, r#"{"name":"x","tags":["c","a"]}"#], "b a c");
    }

    #[test]
    fn no_tags_may_be_null_but_not_absent() {
        check(&[r#"{"tags":null}"#], "");
        check(&[r#"{"tags":[]}"#], "");
        check(&["{}"], "a page is not a list of tags");
    }

    #[test]
    fn tags_outside_the_grammar_are_dropped() {
        check(&[r#"{"tags":["1.0","","-x","a b","a\nb","../x","é","ok_1.2-3"]}"#], "1.0 ok_1.2-3");
    }

    #[test]
    fn a_page_that_is_no_list_refuses_the_whole_scan() {
        check(&[r#"{"tags":["a"]}"#, r#"{"tags":["b","#], "a page ends too early");
        check(&["<html>sign in</html>"], "a page is not a list of tags");
        check(&[r#"{"tags":[1]}"#], "a page is not a list of tags");
        check(&[r#"{"tags":{"a":1}}"#], "a page is not a list of tags");
        check(&[r#"["a"]"#], "a page is not a list of tags");
        check(&[r#"{"tags":["a"]} x"#], "a page is not a list of tags");
    }

    #[test]
    fn a_page_that_comes_again_refuses_the_whole_scan() {
        check(&[r#"{"tags":["a","b"]}"#, r#"{"tags":["a","b"]}"#], "its pages repeat");
    }

    #[test]
    fn too_many_tags_refuse_the_whole_scan() {
        let many = vec!["\"1.0\""; MAX_TAGS + 1].join(",");
        check(&[&format!(r#"{{"tags":[{many}]}}"#)], "it has more than 200000 tags");
    }

    #[test]
    fn only_a_page_that_is_exactly_full_is_probed_beyond() {
        let url = Url::parse("https://r.example.com/v2/a/tags/list?n=2").expect("a URL");
        let page = ["a".to_owned(), "b".to_owned()];
        let next = beyond(&url, Some(2), &page).expect("a probe");
        assert_eq!(next.as_str(), "https://r.example.com/v2/a/tags/list?n=2&last=b");
        assert_eq!(beyond(&url, Some(3), &page), None);
        assert_eq!(beyond(&url, Some(1), &page), None);
        assert_eq!(beyond(&url, None, &page), None);
    }

    #[test]
    fn a_circle_and_an_endless_list_are_left() {
        let mut listing = Listing::new(Url::parse("https://r.example.com/").expect("a URL"));
        let page = |n: usize| Url::parse(&format!("https://r.example.com/?last={n}")).expect("a URL");
        listing.visit(&page(0)).expect("new");
        assert!(listing.visit(&page(0)).expect_err("again").message.contains("in a circle"));
        let end = (1..=MAX_PAGES).find(|&n| listing.visit(&page(n)).is_err());
        assert_eq!(end, Some(MAX_PAGES - 1));
    }
}

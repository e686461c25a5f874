//! Image references.

use tidegate_policy::reference::{Digest, ImageReference, Tag, split_written};

/// A reference that is read prints a canonical form, which reads as the same; its parts are within bounds, and
/// put together again they are what was written.
pub fn reference(data: &[u8]) {
    let text = super::text(data);
    let read = ImageReference::parse(&text);
    match (&read, split_written(&text)) {
        (Ok(reference), Ok(written)) => {
            let canonical = reference.to_string();
            let again = ImageReference::parse(&canonical).expect("the canonical form is a reference");
            assert_eq!(*reference, again, "{text:?} and {canonical:?}");
            assert_eq!(again.to_string(), canonical);
            assert!(reference.repository.path.len() <= 255);
            assert_eq!(written.tag, reference.tag.as_ref().map(Tag::as_str));
            assert_eq!(written.digest, reference.digest.as_ref().map(Digest::as_str));
            let tag = written.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
            let digest = written.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
            assert_eq!(format!("{}{tag}{digest}", written.name), text);
        }
        (Err(error), Err(_)) => assert!(!error.to_string().is_empty()),
        (read, written) => panic!("{text:?}: {read:?} but {written:?}"),
    }
    if let Ok(tag) = Tag::parse(&text) {
        assert!(tag.as_str().len() <= 128 && tag.as_str().is_ascii());
    }
}

//! A table of the dialect's cases, and properties against brute force.

//! Selections as tables and properties.

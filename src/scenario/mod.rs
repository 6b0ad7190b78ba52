//! Scenario files: the text, its check, and what it means.

//! Scenario files: the text, its check, and what it means.

mod assign;
pub mod conform;
pub mod diagnostic;
pub mod reference;
pub mod shape;
pub mod text;
mod values;

#[cfg(test)]
mod tests;

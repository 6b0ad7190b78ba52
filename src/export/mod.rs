//! Weights in the words of each product.
//!
//! A [`Plan`] is a pool with the weights that a scenario gives it; [`snippet`] writes it as a
//! product has it, and says what the product cannot say. Each strategy has a rule of each product
//! that comes nearest (`strategies`); names and addresses are quoted as the product's syntax wants
//! it, or refused (`names`). [`rounding`](crate::config::rounding) brings weights into a product's
//! range. Weights in a configuration that exists are replaced by
//! [`config::patch`](crate::config::patch).

use std::fmt::Write;

use crate::config::Product;
use crate::prose::listed;

mod names;
mod snippets;
mod strategies;

/// A pool, and the weights that it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it is called.
    pub name: String,
    /// The strategy of the scenario, by its name there: `nginx-least-conn`.
    pub strategy: String,
    /// The strategy's settings that are not at their default, by their paths in the scenario.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Its servers.
    pub targets: Vec<Target>,
}

/// A server of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is called.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// Its weight, in the product's range.
    pub weight: u32,
    /// Whether it serves only where no other can.
    pub backup: bool,
    /// Whether it is marked as down.
    pub down: bool,
    /// Requests at once at most; 0 for no limit.
    pub max_connections: u32,
}

/// What is written for a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The text, with a line end at its end.
    pub text: String,
    /// What the product cannot say, and what stands there instead, a sentence each.
    pub remarks: Vec<String>,
}

/// Why a plan cannot be said in a product's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unsayable {
    why: String,
}

impl Unsayable {
    fn new(why: String) -> Unsayable {
        Unsayable { why }
    }
}

/// Writes a plan as a product has it.
///
/// # Errors
/// Where an address or a name has no place in the product's syntax, and where two names would
/// become one.
pub fn snippet(product: Product, plan: &Plan) -> Result<Snippet, Unsayable> {
    let mut remarks = Vec::new();
    let text = match product {
        Product::Nginx => snippets::nginx(plan, &mut remarks),
        Product::Haproxy => snippets::haproxy(plan, &mut remarks),
        Product::Envoy => snippets::envoy(plan, &mut remarks),
        Product::Ipvs => snippets::ipvs(plan, &mut remarks),
        Product::GatewayApi => snippets::gateway_api(plan, &mut remarks),
        Product::Traefik => snippets::traefik(plan, &mut remarks),
        Product::Alb => snippets::alb(plan, &mut remarks),
    }?;
    Ok(Snippet { text, remarks })
}

/// Says that some targets have what a product has no word for.
fn unsaid(
    plan: &Plan,
    product: Product,
    remarks: &mut Vec<String>,
    what: &str,
    has: fn(&Target) -> bool,
) {
    let names: Vec<&str> = plan
        .targets
        .iter()
        .filter(|target| has(target))
        .map(|target| target.name.as_str())
        .collect();
    if !names.is_empty() {
        remarks.push(format!(
            "{} has no word for {what} here: {} {} left as {} without",
            product.title(),
            listed(&names),
            if names.len() == 1 { "is" } else { "are" },
            if names.len() == 1 { "one" } else { "some" },
        ));
    }
}

/// Adds a line.
fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // A text in memory takes all that is written.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests;

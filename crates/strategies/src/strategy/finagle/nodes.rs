//! What Finagle's balancers share: the nodes, and how a pick is repeated and compared.
//!
//! A node that is not open (here: not eligible) stays among the nodes, and is drawn as any other:
//! the better status wins, and a pick of a node that is not open is repeated. So with many nodes
//! down some requests go to one of them.

use crate::strategy::{Context, MemberId, Pick, Pool};

/// How often a node is picked, until one is open: `PanicMode.FiftyPercentUnhealthy`, the default.
const MAX_EFFORT: u32 = 4;

/// The members of the pool, open or not, in order.
#[derive(Clone, Debug)]
pub(super) struct Nodes(Vec<MemberId>);

impl Nodes {
    /// Those that are part of the pool.
    pub(super) fn of(pool: &Pool) -> Nodes {
        let members = 0..pool.len() as MemberId;
        Nodes(members.filter(|&member| pool.is_present(member)).collect())
    }

    /// The nodes, in the order of the configuration.
    pub(super) fn list(&self) -> &[MemberId] {
        &self.0
    }
}

/// Picks a node: with `draw`, and again while it is not open; `Balancer.pick`.
pub(super) fn pick(
    cx: &mut Context<'_>,
    mut draw: impl FnMut(&mut Context<'_>) -> Option<MemberId>,
) -> Pick {
    let mut picked = None;
    for _ in 0..MAX_EFFORT {
        picked = draw(cx);
        if picked.is_none_or(|member| cx.pool.is_eligible(member)) {
            break;
        }
    }
    picked.map_or(Pick::Nobody, Pick::Member)
}

/// The better of two nodes with their loads: the open one, else the one with less load, else the
/// first; `P2CPick`.
pub(super) fn better(a: (MemberId, f64), b: (MemberId, f64), cx: &Context<'_>) -> MemberId {
    let open = |node: (MemberId, f64)| cx.pool.is_eligible(node.0);
    let first = match (open(a), open(b)) {
        (true, false) => true,
        (false, true) => false,
        _ => a.1 <= b.1,
    };
    if first { a.0 } else { b.0 }
}

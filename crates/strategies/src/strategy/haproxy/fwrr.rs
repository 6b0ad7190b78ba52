//! Fast weighted round robin: servers wait in trees for their next turn. (HAProxy 2.6,
//! src/lb_fwrr.c)
//!
//! Time is a position that moves on by one with each candidate. The tree *curr* holds servers by
//! the position of their next turn; *init* those that have not had a turn in this round, the
//! heaviest first, and *next* those that wait for the next round. Equal keys stand in the order in
//! which they came.

use std::collections::BTreeMap;

use crate::strategy::MemberId;

/// The largest weight in a tree: 256 times 16.
const MOST: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tree {
    Init,
    Next,
    Curr,
}

/// A group of servers: the active ones, or the backups.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The sum of all weights in this round, and in the next.
    current_weight: u64,
    next_weight: u64,
    position: u64,
    init: BTreeMap<(u64, u64), MemberId>,
    next: BTreeMap<(u64, u64), MemberId>,
    curr: BTreeMap<(u64, u64), MemberId>,
    /// Counts insertions.
    inserted: u64,
    servers: Vec<Server>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Server {
    weight: u64,
    /// The position of its next turn and of its last, and the part of a position that its next turn
    /// is late.
    next_turn: u64,
    last_turn: u64,
    remainder: u64,
    /// Where it stands.
    place: Option<(Tree, (u64, u64))>,
}

impl Group {
    /// A group of none of `count` servers.
    pub(super) fn new(count: usize) -> Group {
        Group {
            current_weight: 0,
            next_weight: 0,
            position: 0,
            init: BTreeMap::new(),
            next: BTreeMap::new(),
            curr: BTreeMap::new(),
            inserted: 0,
            servers: vec![Server::default(); count],
        }
    }

    /// Adds a server before the first request.
    pub(super) fn begin_with(&mut self, member: MemberId, weight: u32) {
        self.servers[member as usize].weight = u64::from(weight);
        self.next_weight += u64::from(weight);
        (self.current_weight, self.position) = (self.next_weight, self.next_weight);
        self.insert_by_weight(member, Tree::Init);
    }

    /// Whether nobody is in the group.
    pub(super) fn is_empty(&self) -> bool {
        self.init.is_empty() && self.next.is_empty() && self.curr.is_empty()
    }

    /// Whether a server is in the group.
    pub(super) fn contains(&self, member: MemberId) -> bool {
        self.servers[member as usize].place.is_some()
    }

    /// A server has come back.
    pub(super) fn up(&mut self, member: MemberId, weight: u32) {
        let server = &mut self.servers[member as usize];
        server.weight = u64::from(weight);
        self.next_weight += u64::from(weight);
        let ahead = (self.next_weight + self.current_weight).saturating_sub(self.position);
        server.next_turn = self.position + ahead / server.weight.max(1);
        self.queue(member);
    }

    /// A server has gone.
    pub(super) fn down(&mut self, member: MemberId) {
        self.remove(member);
        self.next_weight -= self.servers[member as usize].weight;
    }

    /// A server has got another weight.
    pub(super) fn reweigh(&mut self, member: MemberId, weight: u32) {
        let Some((tree, _)) = self.servers[member as usize].place else {
            return;
        };
        self.remove(member);
        let server = &mut self.servers[member as usize];
        self.next_weight = self.next_weight + u64::from(weight) - server.weight;
        server.weight = u64::from(weight);
        if tree == Tree::Init {
            self.insert_by_weight(member, Tree::Init);
            return;
        }
        let before = server.next_turn
            + if tree == Tree::Next {
                self.current_weight
            } else {
                0
            };
        let step = self.next_weight / server.weight.max(1);
        server.next_turn = before.min(server.last_turn + step);
        server.remainder = 0;
        if server.next_turn < self.position + 2 {
            server.next_turn = self.position + step;
        }
        self.queue(member);
    }

    /// Picks the server whose turn it is. One that is `full` is passed over; one that is to be
    /// `avoided` is taken where nobody else is left.
    pub(super) fn pick(
        &mut self,
        full: impl Fn(MemberId) -> bool,
        avoided: impl Fn(MemberId) -> bool,
    ) -> Option<MemberId> {
        if self.current_weight == 0 {
            (self.current_weight, self.position) = (self.next_weight, self.next_weight);
        }
        let mut aside: Vec<MemberId> = Vec::new();
        let mut fallback = None;
        let mut switched = false;
        let picked = loop {
            let Some(member) = self.candidate() else {
                if switched {
                    break None;
                }
                switched = true;
                std::mem::swap(&mut self.init, &mut self.next);
                for &member in self.init.values() {
                    if let Some((tree, _)) = &mut self.servers[member as usize].place {
                        *tree = Tree::Init;
                    }
                }
                (self.current_weight, self.position) = (self.next_weight, self.next_weight);
                continue;
            };
            self.take_turn(member);
            if full(member) {
                aside.push(member);
            } else if avoided(member) && fallback.is_none() {
                fallback = Some(member);
                aside.push(member);
            } else {
                break Some(member);
            }
        };
        let picked = picked.or_else(|| {
            aside.retain(|&member| Some(member) != fallback);
            fallback
        });
        if let Some(member) = picked {
            self.queue(member);
        }
        for &member in aside.iter().rev() {
            if switched {
                self.insert_by_weight(member, Tree::Init);
            } else {
                self.queue(member);
            }
        }
        picked
    }

    /// Who is due: the first of those in this round whose turn has come, the heaviest of those who
    /// had none yet, or the first who is early.
    fn candidate(&mut self) -> Option<MemberId> {
        let curr = self.curr.first_key_value().map(|(_, &member)| member);
        if let Some(member) = curr
            && self.servers[member as usize].next_turn <= self.position
        {
            return curr;
        }
        let init = self.init.first_key_value().map(|(_, &member)| member);
        if let Some(member) = init {
            let server = &mut self.servers[member as usize];
            (server.next_turn, server.remainder) = (0, 0);
        }
        init.or(curr)
    }

    /// Moves a server on to its next turn, and the position by one. It stands nowhere then.
    fn take_turn(&mut self, member: MemberId) {
        self.remove(member);
        let total = self.next_weight;
        let server = &mut self.servers[member as usize];
        if server.next_turn == 0 {
            server.next_turn = self.position;
        }
        server.last_turn = server.next_turn;
        server.next_turn += total / server.weight.max(1);
        server.remainder += total % server.weight.max(1);
        if server.remainder >= server.weight {
            server.remainder -= server.weight;
            server.next_turn += 1;
        }
        self.position += 1;
    }

    /// Puts a server where its next turn belongs: into this round or the next.
    fn queue(&mut self, member: MemberId) {
        let server = &mut self.servers[member as usize];
        let late = server.next_turn >= 2 * self.current_weight
            || server.next_turn >= self.current_weight + self.next_weight;
        if late {
            server.next_turn = server.next_turn.saturating_sub(self.current_weight);
            self.insert_by_weight(member, Tree::Next);
        } else {
            let key = 256 * server.next_turn + (MOST + server.remainder - server.weight) / 16;
            self.insert(member, Tree::Curr, key);
        }
    }

    fn insert_by_weight(&mut self, member: MemberId, tree: Tree) {
        let key = MOST - self.servers[member as usize].weight;
        self.insert(member, tree, key);
    }

    fn insert(&mut self, member: MemberId, tree: Tree, key: u64) {
        self.inserted += 1;
        let place = (key, self.inserted);
        self.tree(tree).insert(place, member);
        self.servers[member as usize].place = Some((tree, place));
    }

    fn remove(&mut self, member: MemberId) {
        if let Some((tree, place)) = self.servers[member as usize].place.take() {
            self.tree(tree).remove(&place);
        }
    }

    fn tree(&mut self, tree: Tree) -> &mut BTreeMap<(u64, u64), MemberId> {
        match tree {
            Tree::Init => &mut self.init,
            Tree::Next => &mut self.next,
            Tree::Curr => &mut self.curr,
        }
    }
}

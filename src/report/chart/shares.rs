//! Who gets how much: each server's share of requests, and its share of capacity, a panel a
//! strategy. A row a server or, of many, a group; dots where even those are too many.

use std::collections::{BTreeMap, BTreeSet};

use super::Study;
use super::canvas::{Align, Canvas, Type};
use super::frame::{self, AXIS, EDGE, Plot, WIDTH};
use super::palette::{GRID, INK, MUTED, look};
use super::scale::Scale;
use crate::report::rows::ServerRow;

/// More servers than this share pixels: a dot a pixel is drawn, and pictures of a million servers
/// stay small.
const MANY: usize = 2_000;

/// The services of several servers: one that is all of its service has nothing to share.
fn shared<'s>(study: &Study<'s>) -> BTreeSet<&'s str> {
    let (mut first, mut shared) = (BTreeMap::new(), BTreeSet::new());
    for row in &study.rows.servers {
        let known = first.entry(service(row)).or_insert(row.server.as_str());
        if *known != row.server {
            shared.insert(service(row));
        }
    }
    shared
}

/// The service of a server.
fn service(row: &ServerRow) -> &str {
    row.server.split('/').next().unwrap_or_default()
}

/// Rows that have room for a name each.
const ROWS: usize = 24;
/// Height of a row.
const ROW: f64 = 26.0;

/// A server, or a group of them, under one strategy.
struct Share {
    name: String,
    /// Of what its service can do.
    capacity: f64,
    /// Of the attempts of its service.
    requests: f64,
}

/// The share of each server under a strategy, or of each group where servers are too many to have a
/// row each; `None` where those are too many, too.
fn named(rows: &[&ServerRow]) -> Option<Vec<Share>> {
    let of_servers = |name: &str| name.to_owned();
    let of_groups = |name: &str| match name.rsplit_once('-') {
        Some((group, number)) if number.bytes().all(|c| c.is_ascii_digit()) => group.to_owned(),
        _ => name.to_owned(),
    };
    let by = |name: &dyn Fn(&str) -> String| {
        let mut shares: Vec<Share> = Vec::new();
        for row in rows {
            let name = name(&row.server);
            let (capacity, requests) = (
                row.capacity_share.unwrap_or_default(),
                row.request_share.unwrap_or_default(),
            );
            match shares.iter().position(|share| share.name == name) {
                Some(at) => {
                    shares[at].capacity += capacity;
                    shares[at].requests += requests;
                }
                None if shares.len() > ROWS => return shares,
                None => shares.push(Share {
                    name,
                    capacity,
                    requests,
                }),
            }
        }
        shares
    };
    let fits = |shares: &Vec<Share>| (1..=ROWS).contains(&shares.len());
    Some(by(&of_servers))
        .filter(fits)
        .or_else(|| Some(by(&of_groups)).filter(fits))
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let shared = shared(study);
    let of = |strategy: &str| -> Vec<&ServerRow> {
        let rows = study.rows.servers.iter();
        let own = rows.filter(|row| row.strategy == strategy && shared.contains(service(row)));
        own.filter(|row| row.request_share.is_some()).collect()
    };
    let strategies = study.strategies.iter();
    let rows: Option<Vec<Vec<Share>>> = strategies.map(|series| named(&of(&series.name))).collect();
    match rows {
        Some(rows) => in_rows(study, &rows),
        None => scattered(study, &shared),
    }
}

/// A row a server: a bar to its share of requests, and a mark at its share of what can be done.
fn in_rows(study: &Study<'_>, shares: &[Vec<Share>]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for share in shares.iter().flatten() {
        if !names.contains(&share.name.as_str()) {
            names.push(&share.name);
        }
    }
    let all = || shares.iter().flatten();
    let most = all()
        .map(|share| share.requests.max(share.capacity))
        .fold(0.0, f64::max);
    if most <= 0.0 || names.len() > ROWS {
        return None;
    }
    let columns = shares.len().min(4);
    let widest = names
        .iter()
        .map(|name| AXIS.width(name))
        .fold(0.0, f64::max);
    let (left, gap) = (EDGE + widest.min(220.0) + 14.0, 28.0);
    let wide = ((WIDTH - left - EDGE - gap * (columns - 1) as f64) / columns as f64).min(520.0);
    let tall = ROW * names.len() as f64;
    let first = frame::title_height(study) + 30.0;
    let step = tall + 76.0;
    let lines = shares.len().div_ceil(columns);
    let what = "Share of requests that each server gets (bar), and its share of what all can do together (line)";
    Some(Canvas::picture(
        WIDTH,
        first + step * lines as f64,
        |canvas| {
            frame::title(canvas, study, what);
            for (at, (series, shares)) in study.strategies.iter().zip(shares).enumerate() {
                let (column, line) = (at % columns, at / columns);
                let x0 = left + column as f64 * (wide + gap);
                let top = first + line as f64 * step;
                let plot = Plot {
                    left: x0,
                    top,
                    right: x0 + wide,
                    bottom: top + tall,
                };
                frame::heading(canvas, series, (x0, top - 13.0), wide);
                let x = Scale::percent((most * 104.0).min(100.0), plot.left, plot.right);
                frame::x_grid(canvas, plot, &x);
                for (row, name) in names.iter().enumerate() {
                    let y = top + (row as f64 + 0.5) * ROW;
                    if column == 0 {
                        canvas.text(
                            &AXIS.fit(name, left - EDGE - 10.0),
                            (left - 10.0, y),
                            Align::Right,
                            AXIS,
                        );
                    }
                    let Some(share) = shares.iter().find(|share| share.name == *name) else {
                        continue;
                    };
                    canvas.area(
                        (x.at(0.0), y - 7.0),
                        (x.at(share.requests * 100.0), y + 7.0),
                        look(series.colour).colour,
                        0.85,
                    );
                    let due = x.at(share.capacity * 100.0);
                    canvas.line(&[(due, y - 10.0), (due, y + 10.0)], INK, 1.0, 2.0, None);
                }
                if at + columns >= study.strategies.len() {
                    canvas.text(
                        "Share (%)",
                        ((plot.left + plot.right) / 2.0, plot.bottom + 38.0),
                        Align::Centre,
                        AXIS,
                    );
                }
            }
        },
    ))
}

/// Each server as a dot: its share of requests over its share of what can be done.
fn scattered(study: &Study<'_>, shared: &BTreeSet<&str>) -> Option<String> {
    let points: Vec<(f64, f64)> = study
        .rows
        .servers
        .iter()
        .filter(|row| shared.contains(service(row)))
        .filter_map(|row| Some((row.capacity_share?, row.request_share?)))
        .collect();
    if points.is_empty() {
        return None;
    }
    let even = points
        .iter()
        .all(|&(capacity, _)| (capacity - points[0].0).abs() < 1e-9);
    let count = study.strategies.len();
    let columns = count.min(4);
    let rows = count.div_ceil(columns);
    let (left, gap_x, gap_y) = (EDGE + 62.0, 24.0, 58.0);
    let wide = ((WIDTH - left - EDGE - gap_x * (columns - 1) as f64) / columns as f64).min(520.0);
    let tall = wide.min(if columns == 1 { 460.0 } else { 340.0 });
    let first = frame::title_height(study) + 30.0;
    let height = first + rows as f64 * (tall + gap_y) + 24.0;
    let most_requests = (points.iter().map(|p| p.1).fold(0.0, f64::max) * 104.0).min(100.0);
    let most_capacity = (points.iter().map(|p| p.0).fold(0.0, f64::max) * 104.0).min(100.0);
    let what = if even {
        "Share of requests by server, in the scenario's order; the line is the share of capacity, the same for all"
    } else {
        "Share of requests over share of capacity; above the line a server gets more than its part"
    };
    Some(Canvas::picture(WIDTH, height, |canvas| {
        frame::title(canvas, study, what);
        for (at, series) in study.strategies.iter().enumerate() {
            let (column, row) = (at % columns, at / columns);
            let x0 = left + column as f64 * (wide + gap_x);
            let top = first + row as f64 * (tall + gap_y);
            let plot = Plot {
                left: x0,
                top,
                right: x0 + wide,
                bottom: top + tall,
            };
            let own: Vec<_> = study
                .rows
                .servers
                .iter()
                .filter(|row| row.strategy == series.name && shared.contains(service(row)))
                .collect();
            let y = Scale::percent(most_requests, plot.bottom, plot.top);
            for (value, name) in y.ticks((tall / 50.0) as usize) {
                canvas.line(
                    &[(plot.left, y.at(value)), (plot.right, y.at(value))],
                    GRID,
                    1.0,
                    1.0,
                    None,
                );
                if column == 0 {
                    canvas.text(
                        &format!("{name}%"),
                        (plot.left - 8.0, y.at(value)),
                        Align::Right,
                        AXIS,
                    );
                }
            }
            let x = if even {
                Scale::linear(0.5, own.len() as f64 + 0.5, plot.left, plot.right)
            } else {
                Scale::percent(most_capacity, plot.left, plot.right)
            };
            frame::heading(canvas, series, (x0, top - 13.0), wide);
            if even {
                let due = points[0].0 * 100.0;
                canvas.line(
                    &[(plot.left, y.at(due)), (plot.right, y.at(due))],
                    INK,
                    0.8,
                    1.3,
                    None,
                );
            } else {
                frame::x_grid(canvas, plot, &x);
                let end = most_requests.min(most_capacity);
                canvas.line(
                    &[(x.at(0.0), y.at(0.0)), (x.at(end), y.at(end))],
                    INK,
                    0.8,
                    1.3,
                    None,
                );
            }
            let radius = if own.len() > 200 { 2.0 } else { 5.0 };
            let mut drawn = BTreeSet::new();
            for (number, server) in own.iter().enumerate() {
                let Some(share) = server.request_share else {
                    continue;
                };
                let across = match server.capacity_share {
                    _ if even => number as f64 + 1.0,
                    Some(due) => due * 100.0,
                    None => continue,
                };
                let at = (x.at(across), y.at(share * 100.0));
                if even
                    && own.len() <= 60
                    && let Some(due) = server.capacity_share
                {
                    let due = y.at(due * 100.0);
                    canvas.line(
                        &[(at.0, due), at],
                        look(series.colour).colour,
                        0.6,
                        2.0,
                        None,
                    );
                }
                if own.len() <= MANY || drawn.insert((at.0 as i64, at.1 as i64)) {
                    canvas.dot(at, radius, look(series.colour).colour, 0.75);
                }
            }
            if at + columns >= count {
                let title = if even {
                    format!("Servers, 1 to {}", own.len())
                } else {
                    "Share of capacity (%)".to_owned()
                };
                let below = if even { 18.0 } else { 38.0 };
                canvas.text(
                    &title,
                    ((plot.left + plot.right) / 2.0, plot.bottom + below),
                    Align::Centre,
                    AXIS,
                );
            }
        }
        canvas.text_upwards(
            "Share of requests",
            (EDGE + 2.0, (first + height - 60.0) / 2.0),
            Type::new(13.0, MUTED),
        );
    }))
}

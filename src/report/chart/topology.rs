//! Who asks whom: clients and services from the left to the right, each with what comes to it, how
//! busy its servers are, and where the time of its requests goes.

use std::collections::BTreeMap;

use super::Study;
use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, EDGE, WIDTH};
use super::palette::{GRID, INK, MUTED, PAPER};
use super::services::{OF_TIME, Part, digits};
use crate::report::rows::ServiceRow;

/// Height of a box, and room between two.
const HIGH: f64 = 66.0;
const GAP: f64 = 18.0;
/// Width of a box at most, and room for the lines between two columns at least.
const WIDE: f64 = 230.0;
const LINES: f64 = 76.0;
/// Width of a box at least.
const LEAST: f64 = 150.0;
/// Room for a line below the boxes.
const LANE: f64 = 20.0;
/// Beyond so many lines their rates would cover each other.
const MOST_LABELS: usize = 24;

/// A service whose servers are as busy as that is marked.
const BUSY: f64 = 0.8;
const WARM: Colour = Colour(0xc8, 0x3e, 0x4d);
const CALM: Colour = Colour(0x3a, 0x7c, 0xa5);

/// A group of clients, or a service.
struct Station<'a> {
    name: &'a str,
    is_clients: bool,
    zones: &'a str,
    servers: u32,
    column: usize,
    /// The place of its middle.
    y: f64,
    /// What was measured of it.
    row: Option<&'a ServiceRow>,
    /// Mean share of slot time in use of its servers.
    busy: Option<f64>,
    /// What clients ask for a second.
    rate: Option<f64>,
}

/// Who asks whom, as places in the list of nodes.
struct Edge {
    from: usize,
    to: usize,
    rate: Option<f64>,
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let rows = &study.rows.topology;
    let shown = &rows.first()?.strategy;
    let mut nodes: Vec<Station<'_>> = Vec::new();
    let mut edges = Vec::new();
    let mut index: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for row in rows {
        let from = place(&mut nodes, &mut index, (&row.from, row.from_clients));
        let to = place(&mut nodes, &mut index, (&row.to, false));
        (nodes[to].zones, nodes[to].servers) = (&row.zones, row.servers);
        if row.from_clients {
            nodes[from].rate = row.rate_rps;
        }
        edges.push(Edge {
            from,
            to,
            rate: row.rate_rps,
        });
    }
    let services = study.rows.services.iter();
    for row in services.filter(|row| row.strategy == *shown) {
        if let Some(&at) = index.get(&(false, row.service.as_str())) {
            nodes[at].row = Some(row);
        }
    }
    for (&(_, name), &at) in &index {
        nodes[at].busy = busy(study, shown, name);
    }
    let columns = stand(&mut nodes, &edges);
    let top = frame::title_height(study) + 34.0;
    let tallest = columns.iter().map(Vec::len).max()?;
    let tall = tallest as f64 * (HIGH + GAP) - GAP;
    for column in &columns {
        let own = column.len() as f64 * (HIGH + GAP) - GAP;
        for (place, &node) in column.iter().enumerate() {
            nodes[node].y = top + (tall - own) / 2.0 + place as f64 * (HIGH + GAP) + HIGH / 2.0;
        }
    }
    let count = columns.len() as f64;
    // A picture of many columns is wider: boxes are to be read.
    let width = WIDTH.max(2.0 * EDGE + count * LEAST + (count - 1.0) * LINES);
    let room = width - 2.0 * EDGE;
    let wide = WIDE.min((room - (count - 1.0) * LINES) / count);
    let step = if columns.len() > 1 {
        (room - wide) / (count - 1.0)
    } else {
        0.0
    };
    let left = |node: &Station<'_>| EDGE + node.column as f64 * step;
    // Below all boxes is room for lines that pass by a column.
    let passing = (edges.iter())
        .filter(|edge| passes_by(edge, &nodes))
        .count();
    let below = top + tall + 16.0;
    let height = top + tall + 58.0 + passing as f64 * LANE;
    Some(Canvas::picture(width, height, |canvas| {
        let what = format!("Who asks whom, and where the time goes, under {shown}");
        frame::title(canvas, study, &what);
        let mut lane = below;
        for edge in &edges {
            if passes_by(edge, &nodes) {
                line_below(canvas, edge, &nodes, (left, wide), lane);
                lane += LANE;
            } else {
                line(canvas, edge, &nodes, (left, wide));
            }
        }
        if edges.len() <= MOST_LABELS {
            for edge in edges.iter().filter(|edge| !passes_by(edge, &nodes)) {
                label(canvas, edge, (&edges, &nodes), (left, wide));
            }
        }
        for node in &nodes {
            draw_box(canvas, node, left(node), wide);
        }
        legend(canvas, (width, height - 26.0));
    }))
}

/// The place of a node of this name, which is made where there is none.
fn place<'a>(
    nodes: &mut Vec<Station<'a>>,
    index: &mut BTreeMap<(bool, &'a str), usize>,
    (name, is_clients): (&'a str, bool),
) -> usize {
    *index.entry((is_clients, name)).or_insert_with(|| {
        nodes.push(Station {
            name,
            is_clients,
            zones: "",
            servers: 0,
            column: 0,
            y: 0.0,
            row: None,
            busy: None,
            rate: None,
        });
        nodes.len() - 1
    })
}

/// The mean share of slot time in use of the servers of a service.
fn busy(study: &Study<'_>, strategy: &str, service: &str) -> Option<f64> {
    let rows = study.rows.servers.iter();
    let own = rows.filter(|row| {
        let of = row.server.split_once('/').map(|(service, _)| service);
        row.strategy == strategy && of == Some(service)
    });
    let shares: Vec<f64> = own.filter_map(|row| row.utilization).collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

/// Gives each node its column, to the right of all who ask it, and each column its order: by the
/// mean place of who asks, so that few lines cross.
fn stand(nodes: &mut [Station<'_>], edges: &[Edge]) -> Vec<Vec<usize>> {
    // Nobody asks itself, so that this comes to an end.
    for _ in 0..nodes.len() {
        for edge in edges {
            nodes[edge.to].column = nodes[edge.to].column.max(nodes[edge.from].column + 1);
        }
    }
    let last = nodes.iter().map(|node| node.column).max().unwrap_or(0);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); last + 1];
    for (at, node) in nodes.iter().enumerate() {
        columns[node.column].push(at);
    }
    let mut order: Vec<f64> = vec![0.0; nodes.len()];
    for column in &mut columns {
        let above = |node: usize| {
            let asks = edges.iter().filter(|edge| edge.to == node);
            let places: Vec<f64> = asks.map(|edge| order[edge.from]).collect();
            let count = places.len().max(1) as f64;
            places.iter().sum::<f64>() / count
        };
        let mut keyed: Vec<(f64, usize)> = column.iter().map(|&node| (above(node), node)).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        *column = keyed.into_iter().map(|(_, node)| node).collect();
        let count = column.len() as f64;
        for (place, &node) in column.iter().enumerate() {
            order[node] = (place as f64 + 0.5) / count;
        }
    }
    columns
}

/// The way of a line from the right of a box to the left of another, as a curve.
fn curve((x, y): (f64, f64), (u, v): (f64, f64)) -> Vec<(f64, f64)> {
    let bend = (u - x) * 0.5;
    (0..=24)
        .map(|step| {
            let t = f64::from(step) / 24.0;
            let s = 1.0 - t;
            let across = |a: f64, b: f64, c: f64, d: f64| {
                s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
            };
            (across(x, x + bend, u - bend, u), across(y, y, v, v))
        })
        .collect()
}

fn ends(
    edge: &Edge,
    nodes: &[Station<'_>],
    (left, wide): (impl Fn(&Station<'_>) -> f64, f64),
) -> ((f64, f64), (f64, f64)) {
    let (from, to) = (&nodes[edge.from], &nodes[edge.to]);
    ((left(from) + wide, from.y), (left(to) - 7.0, to.y))
}

fn line(
    canvas: &Canvas<'_>,
    edge: &Edge,
    nodes: &[Station<'_>],
    shape: (impl Fn(&Station<'_>) -> f64, f64),
) {
    let (from, to) = ends(edge, nodes, shape);
    canvas.line(&curve(from, to), MUTED, 0.75, 1.4, None);
    let (x, y) = to;
    canvas.shape(
        &[(x + 7.0, y), (x - 2.0, y - 4.5), (x - 2.0, y + 4.5)],
        MUTED,
        1.0,
    );
}

/// Whether a line passes by a column, whose boxes it would run behind.
fn passes_by(edge: &Edge, nodes: &[Station<'_>]) -> bool {
    nodes[edge.to].column > nodes[edge.from].column + 1
}

/// A line that passes by columns, below all boxes, with how often a second.
fn line_below(
    canvas: &Canvas<'_>,
    edge: &Edge,
    nodes: &[Station<'_>],
    shape: (impl Fn(&Station<'_>) -> f64, f64),
    lane: f64,
) {
    let ((x, y), (u, v)) = ends(edge, nodes, shape);
    let (down, up) = (x + LINES * 0.5, u - LINES * 0.5);
    let mut way = curve((x, y), (down, lane));
    way.extend(curve((up, lane), (u, v)));
    canvas.line(&way, MUTED, 0.75, 1.4, None);
    canvas.shape(
        &[(u + 7.0, v), (u - 2.0, v - 4.5), (u - 2.0, v + 4.5)],
        MUTED,
        1.0,
    );
    if let Some(rate) = edge.rate {
        let type_ = Type::new(11.5, MUTED);
        let text = format!("{}/s", digits(rate).trim_end_matches(".0"));
        let half = type_.width(&text) / 2.0 + 3.0;
        let x = (down + up) / 2.0;
        canvas.area((x - half, lane - 8.0), (x + half, lane + 8.0), PAPER, 0.92);
        canvas.text(&text, (x, lane), Align::Centre, type_);
    }
}

/// How often a second, on the line, nearer to that end which it does not share with others.
fn label(
    canvas: &Canvas<'_>,
    edge: &Edge,
    (edges, nodes): (&[Edge], &[Station<'_>]),
    shape: (impl Fn(&Station<'_>) -> f64, f64),
) {
    // From clients the rate stands in their box.
    let Some(rate) = edge.rate.filter(|_| !nodes[edge.from].is_clients) else {
        return;
    };
    let (from, to) = ends(edge, nodes, shape);
    let leave = edges.iter().filter(|other| other.from == edge.from).count();
    let arrive = edges.iter().filter(|other| other.to == edge.to).count();
    let way = curve(from, to);
    let at = match (leave, arrive) {
        (1, 1) => 12,
        (1, _) => 8,
        _ => 15,
    };
    let (x, y) = way[at];
    let type_ = Type::new(11.5, MUTED);
    let text = format!("{}/s", digits(rate).trim_end_matches(".0"));
    let half = type_.width(&text) / 2.0 + 3.0;
    canvas.area((x - half, y - 8.0), (x + half, y + 8.0), PAPER, 0.92);
    canvas.text(&text, (x, y), Align::Centre, type_);
}

fn draw_box(canvas: &Canvas<'_>, node: &Station<'_>, left: f64, wide: f64) {
    let (top, bottom) = (node.y - HIGH / 2.0, node.y + HIGH / 2.0);
    let right = left + wide;
    let frame = match node.busy {
        _ if node.is_clients => MUTED,
        Some(busy) if busy >= BUSY => WARM,
        _ => CALM,
    };
    canvas.area((left, top), (right, bottom), frame, 1.0);
    canvas.area(
        (left + 1.5, top + 1.5),
        (right - 1.5, bottom - 1.5),
        PAPER,
        1.0,
    );
    let name = Type::bold(13.5, INK);
    let small = Type::new(11.5, MUTED);
    let within = wide - 16.0;
    if node.is_clients {
        canvas.text(
            &name.fit(node.name, within),
            (left + 8.0, node.y - 10.0),
            Align::Left,
            name,
        );
        let rate = node
            .rate
            .map_or("users of a closed loop".to_owned(), |rate| {
                format!("{} requests/s", digits(rate).trim_end_matches(".0"))
            });
        canvas.text(
            &small.fit(&rate, within),
            (left + 8.0, node.y + 11.0),
            Align::Left,
            small,
        );
        return;
    }
    let busy = node
        .busy
        .map_or(String::new(), |busy| format!("{:.0}% busy", busy * 100.0));
    let ink = if frame == WARM { WARM } else { MUTED };
    let busy_type = Type::bold(11.5, ink);
    let taken = busy_type.width(&busy);
    canvas.text(&busy, (right - 8.0, top + 14.0), Align::Right, busy_type);
    let own = name.fit(node.name, within - taken - 6.0);
    canvas.text(&own, (left + 8.0, top + 14.0), Align::Left, name);
    let servers = match node.servers {
        1 => "1 server".to_owned(),
        count => format!("{count} servers"),
    };
    let mut said = servers;
    if let Some(mean) = node.row.and_then(|row| row.mean_ms) {
        said = format!("{} ms · {said}", digits(mean));
    }
    if !node.zones.is_empty() {
        said = format!("{said} · {}", node.zones);
    }
    canvas.text(
        &small.fit(&said, within),
        (left + 8.0, top + 33.0),
        Align::Left,
        small,
    );
    if let Some(row) = node.row {
        bar(canvas, row, (left + 8.0, bottom - 16.0), within);
    }
}

/// Where the time of a service's requests goes, as parts of the whole width.
fn bar(canvas: &Canvas<'_>, row: &ServiceRow, (left, top): (f64, f64), wide: f64) {
    let value = |part: &Part| (part.value)(row).unwrap_or(0.0).max(0.0);
    let all: f64 = OF_TIME.iter().map(value).sum();
    canvas.area((left, top), (left + wide, top + 8.0), GRID, 1.0);
    if all <= 0.0 {
        return;
    }
    let mut x = left;
    for part in &OF_TIME {
        let next = x + wide * value(part) / all;
        canvas.area((x, top), (next, top + 8.0), part.colour, 1.0);
        x = next;
    }
}

fn legend(canvas: &Canvas<'_>, (width, y): (f64, f64)) {
    let type_ = Type::new(12.5, MUTED);
    let mut x = EDGE;
    let lead = "Of the mean response time:";
    canvas.text(lead, (x, y), Align::Left, type_);
    x += type_.width(lead) + 14.0;
    for part in &OF_TIME {
        canvas.area((x, y - 5.0), (x + 16.0, y + 5.0), part.colour, 1.0);
        canvas.text(part.name, (x + 22.0, y), Align::Left, type_);
        x += 22.0 + type_.width(part.name) + 20.0;
    }
    let busy = format!(
        "red: servers busy for {:.0}% of the time and more",
        BUSY * 100.0
    );
    canvas.text(&busy, (width - EDGE, y), Align::Right, type_);
}

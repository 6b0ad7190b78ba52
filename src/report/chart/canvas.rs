//! What charts are drawn on: lines, areas and text in pixels, as SVG. All calls of the drawing
//! library are here.
//!
//! Of `plotters` only what writes SVG is used: texts are measured and axes are drawn here, and the
//! whole of it asks the page for the width of a text where it is built for a browser.

use std::cell::RefCell;
use std::convert::Infallible;

use base64::Engine;
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, FontFamily,
    FontStyle, FontTransform,
};
use plotters_svg::SVGBackend;

use super::palette::INK;
use super::typeface::Face;

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

impl Colour {
    fn with(self, alpha: f64) -> BackendColor {
        BackendColor {
            alpha,
            rgb: (self.0, self.1, self.2),
        }
    }
}

/// Pixels of the drawing for one of the chart: the library counts whole ones only.
const FINE: f64 = 4.0;

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: Colour,
}

impl Type {
    pub(super) const fn new(size: f64, colour: Colour) -> Type {
        Type {
            size,
            bold: false,
            colour,
        }
    }

    pub(super) const fn bold(size: f64, colour: Colour) -> Type {
        Type {
            size,
            bold: true,
            colour,
        }
    }

    /// How wide a text is in pixels.
    pub(super) fn width(&self, text: &str) -> f64 {
        Face::of(self.bold).width(text) * self.size
    }

    /// The text as far as `width` takes it, with an ellipsis where that is not all.
    pub(super) fn fit(&self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let mut kept: String = text.to_owned();
        while kept.pop().is_some() {
            let cut = format!("{}…", kept.trim_end());
            if self.width(&cut) <= width {
                return cut;
            }
        }
        String::new()
    }

    /// The text in lines of at most `width`.
    pub(super) fn wrap(&self, text: &str, width: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.width(&format!("{line} {word}")) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }
}

/// A picture under way, in pixels from the top left.
pub(super) struct Canvas<'a> {
    svg: RefCell<SVGBackend<'a>>,
}

fn fine(x: f64) -> i32 {
    (x * FINE).round().clamp(-1e8, 1e8) as i32
}

fn point((x, y): (f64, f64)) -> BackendCoord {
    (fine(x), fine(y))
}

/// How a line looks.
struct Stroke {
    colour: BackendColor,
    width: u32,
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.colour
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

/// How a text looks and stands.
struct Lettering {
    look: Type,
    align: Align,
    transform: FontTransform,
}

impl BackendTextStyle for Lettering {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        self.look.colour.with(1.0)
    }

    /// The library divides sizes by this, taking them for heights.
    fn size(&self) -> f64 {
        self.look.size * FINE * 1.24
    }

    fn transform(&self) -> FontTransform {
        self.transform.clone()
    }

    fn style(&self) -> FontStyle {
        if self.look.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        }
    }

    fn anchor(&self) -> Pos {
        let across = match self.align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        Pos::new(across, VPos::Bottom)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name("Inter")
    }

    /// Of no interest to who writes SVG, as is `draw`.
    fn layout_box(&self, _: &str) -> Result<(BackendCoord, BackendCoord), Infallible> {
        Ok(((0, 0), (0, 0)))
    }

    fn draw<E, F: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        _: &str,
        _: BackendCoord,
        _: F,
    ) -> Result<Result<(), E>, Infallible> {
        Ok(Ok(()))
    }
}

// Writing to a string does not fail, here and below.
impl Canvas<'_> {
    /// Draws a picture of this size, and returns it as SVG.
    pub(super) fn picture(width: f64, height: f64, draw: impl FnOnce(&Canvas<'_>)) -> String {
        let mut svg = String::new();
        {
            let (wide, high) = (fine(width), fine(height));
            let canvas = Canvas {
                svg: RefCell::new(SVGBackend::with_string(
                    &mut svg,
                    (wide as u32, high as u32),
                )),
            };
            let white = Colour(255, 255, 255).with(1.0);
            let _ = (canvas.svg.borrow_mut()).draw_rect((0, 0), (wide, high), &white, true);
            draw(&canvas);
            let _ = canvas.svg.borrow_mut().present();
        }
        dress(&svg, width, height)
    }

    /// A line through points.
    pub(super) fn line(
        &self,
        points: &[(f64, f64)],
        colour: Colour,
        alpha: f64,
        width: f64,
        dash: Option<(f64, f64)>,
    ) {
        let style = Stroke {
            colour: colour.with(alpha),
            width: fine(width) as u32,
        };
        let points: Vec<BackendCoord> = points.iter().copied().map(point).collect();
        if points.len() < 2 {
            return;
        }
        let lines = match dash {
            None => vec![points],
            Some((dash, gap)) => dashes(&points, fine(dash) as f32, fine(gap) as f32),
        };
        for line in lines {
            let _ = self.svg.borrow_mut().draw_path(line, &style);
        }
    }

    /// A filled rectangle.
    pub(super) fn area(&self, from: (f64, f64), to: (f64, f64), colour: Colour, alpha: f64) {
        let ((x, y), (u, v)) = (point(from), point(to));
        let (least, most) = ((x.min(u), y.min(v)), (x.max(u), y.max(v)));
        let _ = (self.svg.borrow_mut()).draw_rect(least, most, &colour.with(alpha), true);
    }

    /// A filled polygon.
    pub(super) fn shape(&self, corners: &[(f64, f64)], colour: Colour, alpha: f64) {
        let corners = corners.iter().map(|&corner| point(corner));
        let _ = (self.svg.borrow_mut()).fill_polygon(corners, &colour.with(alpha));
    }

    /// A disc.
    pub(super) fn dot(&self, at: (f64, f64), radius: f64, colour: Colour, alpha: f64) {
        let radius = fine(radius).max(0) as u32;
        let _ = (self.svg.borrow_mut()).draw_circle(point(at), radius, &colour.with(alpha), true);
    }

    /// A text whose middle line is at `at`.
    pub(super) fn text(&self, text: &str, at: (f64, f64), align: Align, look: Type) {
        self.write(text, at, align, look, FontTransform::None);
    }

    /// A text that reads upwards, centred at `at`.
    pub(super) fn text_upwards(&self, text: &str, at: (f64, f64), look: Type) {
        self.write(text, at, Align::Centre, look, FontTransform::Rotate270);
    }

    fn write(
        &self,
        text: &str,
        (x, y): (f64, f64),
        align: Align,
        look: Type,
        transform: FontTransform,
    ) {
        // The bottom of a text stands half an ex below its point there: from its middle line, a
        // third of an em.
        let drop = look.size * 0.36 + look.size * 0.27;
        let at = if matches!(transform, FontTransform::Rotate270) {
            (x + drop, y)
        } else {
            (x, y + drop)
        };
        let style = Lettering {
            look,
            align,
            transform,
        };
        let _ = (self.svg.borrow_mut()).draw_text(&writable(text), &style, point(at));
    }
}

/// How far apart two points are: rounded once, as no platform's `hypot` need be.
fn distance(dx: f32, dy: f32) -> f32 {
    let (dx, dy) = (f64::from(dx), f64::from(dy));
    (dx * dx + dy * dy).sqrt() as f32
}

/// A line through points in dashes of this length, with such gaps between them.
fn dashes(points: &[BackendCoord], dash: f32, gap: f32) -> Vec<Vec<BackendCoord>> {
    let rounded = |(x, y): (f32, f32)| (x.round() as i32, y.round() as i32);
    let exact = |(x, y): BackendCoord| (x as f32, y as f32);
    let mut lines = vec![vec![points[0]]];
    let (mut at, mut done, mut is_drawn) = (exact(points[0]), 0.0, true);
    for &next in &points[1..] {
        let end = exact(next);
        while at != end {
            let (dx, dy) = (end.0 - at.0, end.1 - at.1);
            let (there, length) = (distance(dx, dy), if is_drawn { dash } else { gap });
            let left = length - done;
            if left < there {
                let share = left / there;
                at = (at.0 + dx * share, at.1 + dy * share);
                done += left;
            } else {
                at = end;
                done += there;
            }
            if is_drawn {
                lines
                    .last_mut()
                    .expect("the one under way")
                    .push(rounded(at));
            }
            if length <= done {
                if !is_drawn {
                    lines.push(vec![rounded(at)]);
                }
                (done, is_drawn) = (0.0, !is_drawn);
            }
        }
    }
    lines.retain(|line| line.len() > 1);
    lines
}

/// A text without what no XML may hold.
fn writable(text: &str) -> String {
    let may_stand = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars()
        .map(|c| if may_stand(c) { c } else { ' ' })
        .collect()
}

/// Gives the drawing its size on the page, and its fonts.
fn dress(svg: &str, width: f64, height: f64) -> String {
    let encode = |bold| base64::engine::general_purpose::STANDARD.encode(Face::of(bold).web);
    let fonts = format!(
        "<style>@font-face{{font-family:Inter;font-weight:400;src:url(data:font/woff2;base64,{})}}\
         @font-face{{font-family:Inter;font-weight:700;src:url(data:font/woff2;base64,{})}}</style>",
        encode(false),
        encode(true)
    );
    let Some((_, rest)) = svg.split_once("<svg ") else {
        return svg.to_owned();
    };
    let Some((_, body)) = rest.split_once('>') else {
        return svg.to_owned();
    };
    let view = format!("viewBox=\"0 0 {} {}\"", fine(width), fine(height));
    let body = body.replace(
        "font-family=\"Inter\"",
        "font-family=\"Inter, 'Helvetica Neue', Arial, sans-serif\"",
    );
    format!(
        "<svg width=\"{width}\" height=\"{height}\" {view} xmlns=\"http://www.w3.org/2000/svg\" color=\"#{:02x}{:02x}{:02x}\">{fonts}{body}",
        INK.0, INK.1, INK.2
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_measured_wrapped_and_cut() {
        let look = Type::new(20.0, INK);
        assert!((look.width("mmmm") / look.width("m") - 4.0).abs() < 1e-9);
        assert!(look.width("iiii") < look.width("mmmm") && look.width("") == 0.0);
        // Inter's zero is about 0.62 of an em wide.
        assert!(
            (look.width("0") / 20.0 - 0.62).abs() < 0.05,
            "{}",
            look.width("0")
        );
        let lines = look.wrap("what does one slow server of ten do to the tail", 200.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| look.width(line) <= 200.0));
        let cut = look.fit("a-very-long-server-name", 100.0);
        assert!(cut.ends_with('…') && look.width(&cut) <= 100.0);
    }
}

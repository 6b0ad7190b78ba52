//! What charts are drawn on: lines, areas and text in pixels, as SVG. All calls of the drawing
//! library are here.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef};
use base64::Engine;
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, FontTransform, TextStyle};

use super::palette::INK;

/// Pixels of the drawing for one of the chart: the library counts whole ones only.
const FINE: f64 = 4.0;

const REGULAR: &[u8] = include_bytes!("fonts/Inter-Regular.ttf");
const SEMIBOLD: &[u8] = include_bytes!("fonts/Inter-SemiBold.ttf");
const REGULAR_WEB: &[u8] = include_bytes!("fonts/Inter-Regular.woff2");
const SEMIBOLD_WEB: &[u8] = include_bytes!("fonts/Inter-SemiBold.woff2");

/// The fonts, for whoever makes pictures of charts.
pub(super) const FONTS: [&[u8]; 2] = [REGULAR, SEMIBOLD];

static METRICS: LazyLock<[FontRef<'static>; 2]> = LazyLock::new(|| {
    FONTS.map(|font| FontRef::try_from_slice(font).expect("the fonts that travel with the program"))
});

/// The drawing library wants a font of its own to know, though it does not look at it for SVG.
static REGISTERED: LazyLock<()> = LazyLock::new(|| {
    for (style, font) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, SEMIBOLD)] {
        let _ = plotters::style::register_font("Inter", style, font);
    }
});

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
    pub(super) colour: RGBColor,
}

impl Type {
    pub(super) const fn new(size: f64, colour: RGBColor) -> Type {
        Type {
            size,
            bold: false,
            colour,
        }
    }

    pub(super) const fn bold(size: f64, colour: RGBColor) -> Type {
        Type {
            size,
            bold: true,
            colour,
        }
    }

    /// How wide a text is in pixels.
    pub(super) fn width(&self, text: &str) -> f64 {
        let font = &METRICS[usize::from(self.bold)];
        let units = font.units_per_em().unwrap_or(2048.0);
        let advance = |c: char| font.h_advance_unscaled(font.glyph_id(c));
        text.chars()
            .map(|c| f64::from(advance(c) / units))
            .sum::<f64>()
            * self.size
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
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

fn fine(x: f64) -> i32 {
    (x * FINE).round().clamp(-1e8, 1e8) as i32
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

impl Canvas<'_> {
    /// Draws a picture of this size, and returns it as SVG.
    pub(super) fn picture(width: f64, height: f64, draw: impl FnOnce(&Canvas<'_>)) -> String {
        LazyLock::force(&REGISTERED);
        let mut svg = String::new();
        {
            let size = (fine(width) as u32, fine(height) as u32);
            let canvas = Canvas {
                area: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
            };
            // Writing to a string does not fail, here and below.
            let _ = canvas.area.fill(&WHITE);
            draw(&canvas);
            let _ = canvas.area.present();
        }
        dress(&svg, width, height)
    }

    /// A line through points.
    pub(super) fn line(
        &self,
        points: &[(f64, f64)],
        colour: RGBColor,
        alpha: f64,
        width: f64,
        dash: Option<(f64, f64)>,
    ) {
        let style = colour.mix(alpha).stroke_width(fine(width) as u32);
        let points: Vec<(i32, i32)> = points.iter().copied().map(point).collect();
        if points.len() < 2 {
            return;
        }
        let _ = match dash {
            None => self.area.draw(&PathElement::new(points, style)),
            Some((dash, gap)) => self.area.draw(&DashedPathElement::new(
                points,
                fine(dash) as u32,
                fine(gap) as u32,
                style,
            )),
        };
    }

    /// A filled rectangle.
    pub(super) fn area(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor, alpha: f64) {
        let _ = self.area.draw(&Rectangle::new(
            [point(from), point(to)],
            colour.mix(alpha).filled(),
        ));
    }

    /// A filled polygon.
    pub(super) fn shape(&self, corners: &[(f64, f64)], colour: RGBColor, alpha: f64) {
        let corners: Vec<_> = corners.iter().map(|&corner| point(corner)).collect();
        let _ = self
            .area
            .draw(&Polygon::new(corners, colour.mix(alpha).filled()));
    }

    /// A disc.
    pub(super) fn dot(&self, at: (f64, f64), radius: f64, colour: RGBColor, alpha: f64) {
        let _ = self.area.draw(&Circle::new(
            point(at),
            fine(radius),
            colour.mix(alpha).filled(),
        ));
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
        let h_pos = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = if look.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        // The library divides sizes by this, taking them for heights.
        let font = FontDesc::new(FontFamily::Name("Inter"), look.size * FINE * 1.24, style)
            .transform(transform);
        // The bottom of a text stands half an ex below its point there: from its middle line, a
        // third of an em.
        let style = TextStyle::from(font)
            .color(&look.colour)
            .pos(Pos::new(h_pos, VPos::Bottom));
        let drop = look.size * 0.36 + look.size * 0.27;
        let at = if matches!(style.font.get_transform(), FontTransform::Rotate270) {
            (x + drop, y)
        } else {
            (x, y + drop)
        };
        let _ = self.area.draw(&Text::new(writable(text), point(at), style));
    }
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
    let encode = |font: &[u8]| base64::engine::general_purpose::STANDARD.encode(font);
    let fonts = format!(
        "<style>@font-face{{font-family:Inter;font-weight:400;src:url(data:font/woff2;base64,{})}}\
         @font-face{{font-family:Inter;font-weight:700;src:url(data:font/woff2;base64,{})}}</style>",
        encode(REGULAR_WEB),
        encode(SEMIBOLD_WEB)
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

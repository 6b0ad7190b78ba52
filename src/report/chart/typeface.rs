//! The typeface of charts: Inter in two weights, which travels with the program, so that each
//! machine measures texts, and draws them in PNGs, alike.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef};
#[cfg(feature = "png")]
use ab_glyph::{OutlineCurve, Point, point};

/// One weight.
pub(super) struct Face {
    font: FontRef<'static>,
    /// Units of its outlines in an em, by which sizes are counted.
    units: f64,
    /// The same for a page in a browser.
    pub(super) web: &'static [u8],
}

static FACES: LazyLock<[Face; 2]> = LazyLock::new(|| {
    [
        Face::new(
            include_bytes!("fonts/Inter-Regular.ttf"),
            include_bytes!("fonts/Inter-Regular.woff2"),
        ),
        Face::new(
            include_bytes!("fonts/Inter-SemiBold.ttf"),
            include_bytes!("fonts/Inter-SemiBold.woff2"),
        ),
    ]
});

impl Face {
    fn new(font: &'static [u8], web: &'static [u8]) -> Face {
        let font = FontRef::try_from_slice(font).expect("the fonts that travel with the program");
        let units = font.units_per_em().map_or(2048.0, f64::from);
        Face { font, units, web }
    }

    /// The regular weight, or the bold one.
    pub(super) fn of(bold: bool) -> &'static Face {
        &FACES[usize::from(bold)]
    }

    /// How wide a text is, in ems: the sum of its glyphs, none of which is moved towards another.
    pub(super) fn width(&self, text: &str) -> f64 {
        let advance = |c| f64::from(self.font.h_advance_unscaled(self.font.glyph_id(c)));
        text.chars().map(|c| advance(c) / self.units).sum()
    }
}

/// What the glyph of a character that the typeface lacks is: a box, in ems.
#[cfg(feature = "png")]
mod lacking {
    /// Room at its left and right, of its width.
    pub(super) const ASIDE: f32 = 0.1;
    pub(super) const HEIGHT: f32 = 0.7;
    pub(super) const LINE: f32 = 0.06;
}

#[cfg(feature = "png")]
impl Face {
    /// Units of outlines in an em.
    pub(super) fn units(&self) -> f64 {
        self.units
    }

    /// How high small letters are, in ems: what style sheets call `ex`.
    pub(super) fn ex(&self) -> f64 {
        let outline = self.font.outline(self.font.glyph_id('x'));
        outline.map_or(0.5, |x| {
            f64::from(x.bounds.min.y.max(x.bounds.max.y)) / self.units
        })
    }

    /// The outlines of a text that begins at zero, in units, upwards.
    pub(super) fn outline(&self, text: &str) -> Vec<OutlineCurve> {
        let (mut curves, mut pen) = (Vec::new(), 0.0);
        for c in text.chars() {
            let glyph = self.font.glyph_id(c);
            let advance = self.font.h_advance_unscaled(glyph);
            let own = match self.font.outline(glyph) {
                // The glyph of what is lacking is empty in fonts that are cut down.
                _ if glyph.0 == 0 && !c.is_whitespace() => self.boxed(advance),
                Some(outline) => outline.curves,
                None => Vec::new(),
            };
            let moved = |at: Point| point(at.x + pen, at.y);
            curves.extend(own.into_iter().map(|curve| match curve {
                OutlineCurve::Line(a, b) => OutlineCurve::Line(moved(a), moved(b)),
                OutlineCurve::Quad(a, b, c) => OutlineCurve::Quad(moved(a), moved(b), moved(c)),
                OutlineCurve::Cubic(a, b, c, d) => {
                    OutlineCurve::Cubic(moved(a), moved(b), moved(c), moved(d))
                }
            }));
            pen += advance;
        }
        curves
    }

    /// An empty box: its outer edge, and its inner one the other way round.
    fn boxed(&self, advance: f32) -> Vec<OutlineCurve> {
        let em = self.units as f32;
        let (left, right) = (advance * lacking::ASIDE, advance * (1.0 - lacking::ASIDE));
        let (top, line) = (em * lacking::HEIGHT, em * lacking::LINE);
        let outer = [(left, 0.0), (left, top), (right, top), (right, 0.0)];
        let (within, beneath) = (left + line, top - line);
        let inner = [
            (within, line),
            (right - line, line),
            (right - line, beneath),
            (within, beneath),
        ];
        let edge = |corners: [(f32, f32); 4]| {
            (0..4).map(move |at| {
                let (from, to) = (corners[at], corners[(at + 1) % 4]);
                OutlineCurve::Line(point(from.0, from.1), point(to.0, to.1))
            })
        };
        edge(outer).chain(edge(inner)).collect()
    }
}

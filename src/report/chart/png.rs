//! From SVG to PNG: the few elements that charts are made of are drawn one after another. An
//! interpreter of all of SVG takes as long to build as half of the program.

use ab_glyph::OutlineCurve;
use roxmltree::{Document, Node};
use tiny_skia::{
    Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Shader, Stroke, Transform,
};

use super::typeface::Face;

/// Why a picture could not be turned into pixels.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The SVG cannot be read.
    #[error(transparent)]
    Svg(#[from] roxmltree::Error),
    /// The picture has no size, holds what no chart does, or cannot be written.
    #[error("{0}")]
    Picture(String),
}

/// Pixels for each of the picture's own.
const FINER: f32 = 2.0;

/// The picture as PNG, twice as fine as its size in pixels says.
///
/// # Errors
/// Where `svg` is not one of our pictures.
pub fn png(svg: &str) -> Result<Vec<u8>, ChartError> {
    pixels(svg)?
        .encode_png()
        .map_err(|error| ChartError::Picture(error.to_string()))
}

fn pixels(svg: &str) -> Result<Pixmap, ChartError> {
    let document = Document::parse(svg)?;
    let root = Element(document.root_element());
    let (width, height) = (root.number("width")?, root.number("height")?);
    let view: Vec<f32> = numbers(root.text("viewBox")?).collect();
    let &[_, _, view_width, view_height] = view.as_slice() else {
        return Err(root.wrong("viewBox"));
    };
    let mut picture = Pixmap::new((width * FINER) as u32, (height * FINER) as u32)
        .ok_or_else(|| ChartError::Picture("the picture has no size".to_owned()))?;
    let page = Transform::from_scale(FINER * width / view_width, FINER * height / view_height);
    for node in document.root_element().children().filter(Node::is_element) {
        Element(node).draw(page, &mut picture)?;
    }
    Ok(picture)
}

/// An element of a picture.
#[derive(Clone, Copy)]
struct Element<'a, 'input>(Node<'a, 'input>);

impl<'a> Element<'a, '_> {
    fn wrong(self, attribute: &str) -> ChartError {
        let element = self.0.tag_name().name();
        ChartError::Picture(format!(
            "`{attribute}` of a `{element}` is not what it is in a chart"
        ))
    }

    fn text(self, attribute: &str) -> Result<&'a str, ChartError> {
        (self.0.attribute(attribute)).ok_or_else(|| self.wrong(attribute))
    }

    fn number(self, attribute: &str) -> Result<f32, ChartError> {
        let number = self.text(attribute)?.parse();
        number.map_err(|_| self.wrong(attribute))
    }

    /// The colour that `attribute` says, as opaque as the element is.
    fn paint(self, attribute: &str) -> Result<Paint<'static>, ChartError> {
        let digits = self.text(attribute)?.strip_prefix('#');
        let colour = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, r, g, b] = colour.ok_or_else(|| self.wrong(attribute))?.to_be_bytes();
        let mut colour = Color::from_rgba8(r, g, b, 255);
        colour.set_alpha(self.number("opacity")?);
        Ok(Paint {
            shader: Shader::SolidColor(colour),
            ..Paint::default()
        })
    }

    fn draw(self, page: Transform, picture: &mut Pixmap) -> Result<(), ChartError> {
        let (winding, number) = (FillRule::Winding, |attribute| self.number(attribute));
        let fill = |picture: &mut Pixmap, path: Option<Path>, transform| {
            // What has no extent leaves no trace.
            if let Some(path) = path {
                picture.fill_path(&path, &self.paint("fill")?, winding, transform, None);
            }
            Ok(())
        };
        match self.0.tag_name().name() {
            // The fonts, which are at hand here.
            "style" => Ok(()),
            "rect" => {
                let (x, y) = (number("x")?, number("y")?);
                let area = Rect::from_xywh(x, y, number("width")?, number("height")?);
                fill(picture, area.map(PathBuilder::from_rect), page)
            }
            "circle" => {
                let (x, y, radius) = (number("cx")?, number("cy")?, number("r")?);
                fill(picture, PathBuilder::from_circle(x, y, radius), page)
            }
            "polygon" => {
                let mut path = self.points()?;
                path.close();
                fill(picture, path.finish(), page)
            }
            "polyline" => {
                let (paint, width) = (self.paint("stroke")?, number("stroke-width")?);
                let stroke = Stroke {
                    width,
                    ..Stroke::default()
                };
                if let Some(path) = self.points()?.finish().filter(|_| width > 0.0) {
                    picture.stroke_path(&path, &paint, &stroke, page, None);
                }
                Ok(())
            }
            "text" => {
                let (outline, placed) = self.lettering()?;
                fill(picture, outline, page.pre_concat(placed))
            }
            other => Err(ChartError::Picture(format!("no chart has a `{other}`"))),
        }
    }

    fn points(self) -> Result<PathBuilder, ChartError> {
        let numbers: Vec<f32> = numbers(self.text("points")?).collect();
        let mut path = PathBuilder::new();
        for (at, point) in numbers.chunks_exact(2).enumerate() {
            match at {
                0 => path.move_to(point[0], point[1]),
                _ => path.line_to(point[0], point[1]),
            }
        }
        Ok(path)
    }

    /// The outline of a text, and where it stands.
    fn lettering(self) -> Result<(Option<Path>, Transform), ChartError> {
        let (x, y, size) = (
            self.number("x")?,
            self.number("y")?,
            self.number("font-size")?,
        );
        let face = Face::of(self.0.attribute("font-weight") == Some("bold"));
        let text = collapsed(self.0.text().unwrap_or_default());
        let before = match self.text("text-anchor")? {
            "start" => 0.0,
            "middle" => 0.5,
            "end" => 1.0,
            _ => return Err(self.wrong("text-anchor")),
        };
        let lift = self.text("dy")?.strip_suffix("ex");
        let lift: f32 =
            (lift.and_then(|lift| lift.parse().ok())).ok_or_else(|| self.wrong("dy"))?;
        let turned = match self.0.attribute("transform") {
            None => Transform::identity(),
            Some(transform) => {
                let around = transform.strip_prefix("rotate(");
                let around = around.and_then(|around| around.strip_suffix(')'));
                let around: Vec<f32> = numbers(around.unwrap_or_default()).collect();
                let &[angle, x, y] = around.as_slice() else {
                    return Err(self.wrong("transform"));
                };
                Transform::from_rotate_at(angle, x, y)
            }
        };
        let x = x - before * face.width(&text) as f32 * size;
        let y = y + lift * face.ex() as f32 * size;
        let unit = size / face.units() as f32;
        let placed = turned.pre_translate(x, y).pre_scale(unit, -unit);
        Ok((path(&face.outline(&text)), placed))
    }
}

/// Numbers with commas or spaces between them.
fn numbers(text: &str) -> impl Iterator<Item = f32> {
    text.split([',', ' '])
        .filter_map(|number| number.parse().ok())
}

/// A text as it is shown: one space where there are several, none at its ends (SVG 1.1, 10.15).
fn collapsed(text: &str) -> String {
    let words: Vec<&str> = text
        .split([' ', '\t', '\n'])
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Curves as a path: where one does not begin at the end of the one before, a contour begins.
fn path(curves: &[OutlineCurve]) -> Option<Path> {
    let (mut path, mut at) = (PathBuilder::new(), None);
    for curve in curves {
        let (OutlineCurve::Line(from, _)
        | OutlineCurve::Quad(from, ..)
        | OutlineCurve::Cubic(from, ..)) = *curve;
        if at != Some(from) {
            path.close();
            path.move_to(from.x, from.y);
        }
        at = Some(match *curve {
            OutlineCurve::Line(_, to) => {
                path.line_to(to.x, to.y);
                to
            }
            OutlineCurve::Quad(_, by, to) => {
                path.quad_to(by.x, by.y, to.x, to.y);
                to
            }
            OutlineCurve::Cubic(_, by, and, to) => {
                path.cubic_to(by.x, by.y, and.x, and.y, to.x, to.y);
                to
            }
        });
    }
    path.close();
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::canvas::{Align, Canvas, Colour, Type};

    const LOOK: Type = Type::new(20.0, Colour(0, 0, 0));

    /// The box in which a picture of 400 by 400 is not white, in its own pixels: left, top, right,
    /// bottom; and how much of that box is black.
    fn inked(draw: impl FnOnce(&Canvas<'_>)) -> ([f64; 4], f64) {
        let picture = pixels(&Canvas::picture(400.0, 400.0, draw)).unwrap();
        let (mut bounds, mut sum) = ([f64::MAX, f64::MAX, 0.0, 0.0], 0.0);
        for (at, pixel) in picture.pixels().iter().enumerate() {
            let black = 1.0 - f64::from(pixel.red()) / 255.0;
            if black > 0.1 {
                let (x, y) = ((at % 800) as f64 / 2.0, (at / 800) as f64 / 2.0);
                bounds[0] = f64::min(bounds[0], x);
                bounds[1] = f64::min(bounds[1], y);
                bounds[2] = f64::max(bounds[2], x + 0.5);
                bounds[3] = f64::max(bounds[3], y + 0.5);
            }
            sum += black / 4.0;
        }
        let area = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]);
        (bounds, sum / area)
    }

    fn written(text: &str, align: Align) -> [f64; 4] {
        inked(|canvas| canvas.text(text, (200.0, 200.0), align, LOOK)).0
    }

    #[test]
    fn texts_stand_at_their_anchors() {
        let text = "HHHHHHHHHH";
        let width = LOOK.width(text);
        for (align, left) in [
            (Align::Left, 200.0),
            (Align::Centre, 200.0 - width / 2.0),
            (Align::Right, 200.0 - width),
        ] {
            let [from, top, to, bottom] = written(text, align);
            // An H has a little room at both sides; its middle is nearly the middle line.
            assert!((from - left).abs() < 3.0, "{align:?}: {from} {left}");
            assert!((to - left - width).abs() < 3.0, "{align:?}: {to}");
            assert!(((top + bottom) / 2.0 - 200.0).abs() < 1.5, "{top} {bottom}");
            assert!((bottom - top - 0.727 * 20.0).abs() < 1.1, "{top} {bottom}");
        }
    }

    #[test]
    fn a_text_that_reads_upwards_is_turned() {
        let lying = written("Time", Align::Centre);
        let (standing, _) = inked(|canvas| canvas.text_upwards("Time", (200.0, 200.0), LOOK));
        let size = |[left, top, right, bottom]: [f64; 4]| (right - left, bottom - top);
        let ((wide, high), (across, up)) = (size(lying), size(standing));
        assert!((wide - up).abs() <= 0.5 && (high - across).abs() <= 0.5);
        // The T, which is the left of it, is at the bottom, where a stem makes little ink.
        let middle = (standing[1] + standing[3]) / 2.0;
        assert!(
            (middle - 200.0).abs() < 1.0 && standing[2] > 200.0,
            "{standing:?}"
        );
    }

    #[test]
    fn signs_of_xml_are_texts_like_others() {
        for text in ["<", ">", "&", "\"", "'", "a < b & \"c\" > 'd'"] {
            let [left, _, right, _] = written(text, Align::Left);
            let width = LOOK.width(text);
            assert!(
                right - left > 0.1 * width && right - 200.0 < width,
                "{text}"
            );
        }
    }

    #[test]
    fn what_the_typeface_lacks_is_a_box() {
        let draw = |text: &'static str| {
            inked(move |canvas| canvas.text(text, (200.0, 200.0), Align::Left, LOOK))
        };
        let (bounds, share) = draw("\u{6f22}");
        let (width, height) = (bounds[2] - bounds[0], bounds[3] - bounds[1]);
        assert!(width > 4.0 && height > 10.0, "{bounds:?}");
        assert!((0.1..0.7).contains(&share), "a box is empty: {share}");
        // It takes its room among others, and a space is none.
        assert!(draw("a\u{6f22}b").0[2] > draw("ab").0[2] + 4.0);
        assert_eq!(draw("\u{2003}").1, draw(" ").1);
    }

    #[test]
    fn shapes_are_where_they_are_drawn() {
        let black = Colour(0, 0, 0);
        let (bounds, share) = inked(|canvas| {
            canvas.area((10.0, 20.0), (30.0, 60.0), black, 1.0);
            // Without extent, and off the picture.
            canvas.area((50.0, 20.0), (50.0, 60.0), black, 1.0);
            canvas.dot((900.0, 20.0), 3.0, black, 1.0);
        });
        assert_eq!((bounds, share), ([10.0, 20.0, 30.0, 60.0], 1.0));
        let (bounds, share) = inked(|canvas| canvas.dot((100.0, 100.0), 10.0, black, 1.0));
        assert_eq!(bounds, [90.0, 90.0, 110.0, 110.0]);
        assert!(
            (share - std::f64::consts::FRAC_PI_4).abs() < 0.02,
            "{share}"
        );
        let (bounds, share) = inked(|canvas| {
            canvas.shape(&[(0.0, 0.0), (40.0, 0.0), (0.0, 40.0)], black, 1.0);
        });
        assert_eq!(bounds[..2], [0.0, 0.0]);
        assert!((share - 0.5).abs() < 0.02, "{share}");
        let (bounds, share) = inked(|canvas| {
            canvas.line(&[(10.0, 10.0), (90.0, 10.0)], black, 0.5, 4.0, None);
        });
        assert_eq!(bounds, [10.0, 8.0, 90.0, 12.0]);
        assert!((share - 0.5).abs() < 0.01, "{share}");
    }

    #[test]
    fn what_is_no_chart_is_refused() {
        let picture = |inner: &str| {
            format!("<svg width=\"8\" height=\"8\" viewBox=\"0 0 8 8\">{inner}</svg>")
        };
        assert!(png(&picture("")).is_ok());
        for svg in [
            "no picture".to_owned(),
            "<svg/>".to_owned(),
            "<svg width=\"0\" height=\"8\" viewBox=\"0 0 8 8\"/>".to_owned(),
            picture("<image/>"),
            picture("<rect x=\"0\"/>"),
            picture("<circle cx=\"1\" cy=\"1\" r=\"1\" fill=\"red\" opacity=\"1\"/>"),
            picture("<text x=\"0\" y=\"0\" font-size=\"1\" text-anchor=\"left\">a</text>"),
        ] {
            assert!(png(&svg).is_err(), "{svg}");
        }
    }
}

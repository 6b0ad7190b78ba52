//! From SVG to PNG.

use std::sync::{Arc, LazyLock};

use resvg::{tiny_skia, usvg};

use super::canvas;

/// Why a picture could not be turned into pixels.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The SVG cannot be read.
    #[error(transparent)]
    Svg(#[from] usvg::Error),
    /// The picture has no size, or cannot be written.
    #[error("{0}")]
    Picture(String),
}

/// Fonts for pictures: those that travel with the program, and no others, so that each machine
/// draws alike.
static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    for font in canvas::FONTS {
        fonts.load_font_data(font.to_vec());
    }
    Arc::new(fonts)
});

/// The picture as PNG, twice as fine as its size in pixels says.
///
/// # Errors
/// Where `svg` is not one of our pictures.
pub fn png(svg: &str) -> Result<Vec<u8>, ChartError> {
    let options = usvg::Options {
        fontdb: Arc::clone(&FONTS),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options)?;
    let size = tree.size();
    let (width, height) = ((size.width() * 2.0) as u32, (size.height() * 2.0) as u32);
    let mut pixels = tiny_skia::Pixmap::new(width, height)
        .ok_or_else(|| ChartError::Picture("the picture has no size".to_owned()))?;
    resvg::render(
        &tree,
        tiny_skia::Transform::from_scale(2.0, 2.0),
        &mut pixels.as_mut(),
    );
    pixels
        .encode_png()
        .map_err(|error| ChartError::Picture(error.to_string()))
}

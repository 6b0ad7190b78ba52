//! Charts: functions from rows to SVG, and SVG to PNG.

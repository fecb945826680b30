//! Pictures: lines, one for each library.

use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What a picture shows.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    /// The name of its file.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What the vertical axis has; it is logarithmic.
    pub(crate) unit: &'static str,
    /// What stands below, from left to right, at equal distances.
    pub(crate) places: Vec<String>,
    /// A value for each place, of each library.
    pub(crate) lines: Vec<(String, Vec<Option<f64>>)>,
}

const SIZE: (u32, u32) = (860, 420);
/// Room for the names of the libraries.
const LEGEND: u32 = 170;
const INK: RGBColor = RGBColor(60, 64, 72);

/// Ours stand out; the others keep their colour in all pictures.
fn colour(library: &str) -> RGBColor {
    match library {
        "zeroxide" => RGBColor(214, 39, 40),
        "zeroxide-tokio" => RGBColor(240, 128, 90),
        "libzmq" => RGBColor(40, 40, 40),
        "omq-blocking" => RGBColor(31, 119, 180),
        "omq-tokio" => RGBColor(120, 175, 225),
        "monocoque" => RGBColor(44, 140, 80),
        "monocoque-tokio" => RGBColor(130, 195, 120),
        "rzmq" => RGBColor(148, 103, 189),
        "rzmq-uring" => RGBColor(195, 170, 220),
        _ => RGBColor(190, 160, 40),
    }
}

impl Chart {
    /// As SVG.
    ///
    /// # Errors
    /// Nothing to draw, or what the drawing library cannot do.
    pub(crate) fn svg(&self) -> Result<String, Box<dyn Error>> {
        // A logarithmic axis has no zero.
        let above_zero = |value: &Option<f64>| value.filter(|value| *value > 0.0);
        let values = || self.lines.iter().flat_map(|(_, values)| values).filter_map(above_zero);
        let least = values().min_by(f64::total_cmp).ok_or("nothing to draw")?;
        let most = values().max_by(f64::total_cmp).ok_or("nothing to draw")?;
        let mut text = String::new();
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(SIZE.0 - LEGEND);
        let last = self.places.len().saturating_sub(1) as f64;
        let mut chart = ChartBuilder::on(&left)
            .margin(14)
            .caption(&self.title, ("sans-serif", 22).into_font().color(&INK))
            .x_label_area_size(34)
            .y_label_area_size(84)
            .build_cartesian_2d(-0.15..last + 0.15, (least / 1.4..most * 1.4).log_scale())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(RGBColor(244, 244, 246))
            .bold_line_style(RGBColor(222, 222, 228))
            .x_labels(0)
            .y_desc(self.unit)
            .y_label_formatter(&|value| short(*value))
            .label_style(("sans-serif", 15).into_font().color(&INK))
            .draw()?;
        let centre = ("sans-serif", 15).into_font().color(&INK).pos(Pos::new(HPos::Center, VPos::Top));
        for (at, place) in self.places.iter().enumerate() {
            let (x, y) = chart.backend_coord(&(at as f64, least / 1.4));
            root.draw(&Text::new(place.clone(), (x, y + 8), centre.clone()))?;
        }
        // Ours are drawn last, above the others.
        for (library, values) in self.lines.iter().rev() {
            let points = values.iter().enumerate();
            let points: Vec<(f64, f64)> =
                points.filter_map(|(at, value)| Some((at as f64, above_zero(value)?))).collect();
            let (width, dot) = if library == "zeroxide" { (3, 5) } else { (2, 3) };
            let style = colour(library).stroke_width(width);
            chart.draw_series(LineSeries::new(points.clone(), style))?;
            chart.draw_series(points.into_iter().map(|at| Circle::new(at, dot, colour(library).filled())))?;
        }
        for (at, (library, _)) in self.lines.iter().enumerate() {
            let y = 52 + at as i32 * 22;
            right.draw(&Rectangle::new([(4, y), (20, y + 4)], colour(library).filled()))?;
            let style = ("sans-serif", 15).into_font().color(&INK);
            right.draw(&Text::new(library.clone(), (26, y - 5), style))?;
        }
        root.present()?;
        drop((chart, left, right, root));
        Ok(text)
    }
}

/// A value at an axis.
fn short(value: f64) -> String {
    let (value, letter) = match value {
        v if v >= 1e6 => (v / 1e6, " M"),
        v if v >= 1e3 => (v / 1e3, " k"),
        v => (v, ""),
    };
    if value >= 10.0 || value.fract() == 0.0 {
        format!("{value:.0}{letter}")
    } else {
        format!("{value:.1}{letter}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_title_all_places_and_all_libraries() {
        let chart = Chart {
            title: "a title".into(),
            unit: "messages/s",
            places: vec!["64 B".into(), "1 KiB".into()],
            lines: vec![
                ("zeroxide".into(), vec![Some(1e6), Some(1e5)]),
                ("libzmq".into(), vec![None, Some(1e4)]),
            ],
            ..Chart::default()
        };
        let svg = chart.svg().unwrap();
        for text in ["a title", "64 B", "1 KiB", "zeroxide", "libzmq", "messages/s"] {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!(svg.matches("<circle").count(), 3);
    }

    #[test]
    fn without_values_there_is_no_picture() {
        for values in [vec![None], vec![Some(0.0)], Vec::new()] {
            let chart = Chart { lines: vec![("zeroxide".into(), values)], ..Chart::default() };
            assert!(chart.svg().is_err(), "a logarithmic axis has no zero");
        }
    }

    #[test]
    fn values_at_an_axis_are_short() {
        assert_eq!([0.5, 20.0, 1000.0, 2.5e6].map(short), ["0.5", "20", "1 k", "2.5 M"]);
    }
}

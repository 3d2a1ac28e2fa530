//! Where things stand on a screen of a given size: the columns every screen shares, so that the time axis
//! never moves when screens change. Numbers only; drawing is the view's.

use crate::model::Lapse;

/// The three layouts, by width alone: how many rows there are decides how much of each panel is shown,
/// never its columns. Anything smaller shows the answer alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Below 80×24: the answer in words.
    Tiny,
    /// From 80 columns.
    Narrow,
    /// From 120 columns.
    Medium,
    /// From 200 columns.
    Wide,
}

/// Columns of the shared grid; ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Layout.
    pub size: Size,
    /// Screen width.
    pub width: u16,
    /// Screen height.
    pub height: u16,
    /// First column of text.
    pub left: u16,
    /// Lane names: first column and end.
    pub name: (u16, u16),
    /// End of the right-aligned value at the cursor.
    pub value_end: u16,
    /// End of the right-aligned normal; none when dropped.
    pub normal_end: Option<u16>,
    /// End of the right-aligned worst; none when dropped.
    pub worst_end: Option<u16>,
    /// Chart: first column and end; one column of the axis for each cell.
    pub chart: (u16, u16),
    /// Side column: first column and end; none when its content moves below.
    pub side: Option<(u16, u16)>,
}

impl Grid {
    /// The grid of a screen. Spare width goes to the chart in tens up to 200, then to the side column.
    pub fn of(width: u16, height: u16) -> Self {
        if width < 80 || height < 24 {
            return Self {
                size: Size::Tiny,
                width,
                height,
                left: 1,
                name: (1, 1),
                value_end: 1,
                normal_end: None,
                worst_end: None,
                chart: (0, width),
                side: None,
            };
        }
        if width >= 200 {
            return Self {
                size: Size::Wide,
                width,
                height,
                left: 2,
                name: (2, 17),
                value_end: 25,
                normal_end: Some(33),
                worst_end: Some(41),
                chart: (42, 162),
                side: Some((165, width - 2)),
            };
        }
        if width >= 120 {
            let spare = (width - 120) / 10 * 10;
            return Self {
                size: Size::Medium,
                width,
                height,
                left: 2,
                name: (2, 14),
                value_end: 21,
                normal_end: Some(28),
                worst_end: None,
                chart: (29, 89 + spare),
                side: Some((92 + spare, width - 1)),
            };
        }
        let spare = (width - 80) / 10 * 10;
        Self {
            size: Size::Narrow,
            width,
            height,
            left: 1,
            name: (1, 12),
            value_end: 19,
            normal_end: None,
            worst_end: None,
            chart: (20, 80 + spare),
            side: None,
        }
    }
    /// Length of a column when nobody has zoomed: a minute where there are 120 columns, else two.
    pub const fn usual_step(&self) -> Lapse {
        match self.size {
            Size::Wide => Lapse::minutes(1),
            Size::Tiny | Size::Narrow | Size::Medium => Lapse::minutes(2),
        }
    }
    /// How many columns the axis has.
    pub fn columns(&self) -> usize {
        usize::from(self.chart.1.saturating_sub(self.chart.0)).max(1)
    }
}

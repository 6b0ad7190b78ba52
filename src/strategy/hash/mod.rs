//! Hash functions of products, and the tables that are built with them.

pub mod haproxy;
pub mod jump;
pub mod linux;
pub mod maglev;
pub mod ring;

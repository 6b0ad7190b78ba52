//! Hash functions of products, and the tables that are built with them.

pub mod envoy_ring;
pub mod haproxy;
pub mod jump;
pub mod linux;
pub mod maglev;
pub mod murmur;
pub mod ring;

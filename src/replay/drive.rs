//! Drives a balancer through the steps of a recording.

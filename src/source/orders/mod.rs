//! Order-side queries of the operator: pages, ids, read-only by construction.

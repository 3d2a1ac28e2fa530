//! PostgreSQL: one session for each database, one look each interval, every version from 12 to 18.

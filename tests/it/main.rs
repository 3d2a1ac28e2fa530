//! Tests of the whole program against real parts; one binary, so that it links once.

mod note;

//! State to cells. Changes nothing, asks nothing: the same state and look give the same picture.

//! The signer against vectors, and against everything a caller can make.

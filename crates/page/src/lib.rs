//! From the bytes of a web page to a document: charset, text blocks, image slots, opt-out.

//! Whether, and by how much, two samples differ.

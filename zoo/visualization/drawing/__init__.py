"""What figures share: style, mosaics, rows of pictures, checked inputs, files."""

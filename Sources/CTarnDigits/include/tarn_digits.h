#ifndef TARN_DIGITS_H
#define TARN_DIGITS_H

// The 1,797 handwritten digits of the UCI set's test part, 8 x 8 pixels of 0...16 each. See NOTICE.md.

// How many digits there are.
int tarn_digits_count(void);

// One digit: 64 characters, 'A' for pixel value 0 to 'Q' for 16, row by row, then its label '0' to '9'.
// A null pointer where there is no such digit.
const char *tarn_digit(int index);

#endif

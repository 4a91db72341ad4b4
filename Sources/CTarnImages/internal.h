// What the files of this target share.
#ifndef TARN_IMAGES_INTERNAL_H
#define TARN_IMAGES_INTERNAL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/tarn_images.h"

/// Puts a sentence into the caller's room, cut to fit.
static inline void tarn_image_say(char message[TARN_IMAGE_MESSAGE], const char *text) {
  snprintf(message, TARN_IMAGE_MESSAGE, "%s", text);
}

static inline int32_t tarn_image_least(int32_t a, int32_t b) { return a < b ? a : b; }
static inline int32_t tarn_image_greatest(int32_t a, int32_t b) { return a > b ? a : b; }

#endif

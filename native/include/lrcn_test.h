/*
 * lrcn_test.h: what the tests alone need of the library, under lrcn.h's rules.
 */
#ifndef LRCN_TEST_H
#define LRCN_TEST_H

#include "lrcn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Number of engines, groups and decodings that are not destroyed. */
LRCN_EXPORT int64_t lrcn_live_handles(void);

/*
 * logits: filled, [rows, targets_length, vocabulary_size], with teacher forcing by `inputs`, as in evaluation. The
 * shape's targets_length decides whether the image's own step counts.
 */
LRCN_EXPORT int32_t lrcn_logits(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                int64_t pixels_length, const float *features, int64_t features_length,
                                const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                                int64_t inputs_length, double *logits, int64_t logits_length, char *message,
                                int32_t message_capacity);

#ifdef __cplusplus
}
#endif

#endif

// Everything of one level, and its table.
#include "ops.h"

#include "convert.h"
#include "fold.h"
#include "gemm.h"

#include "conv.h"
#include "philox.h"
#include "recurrent.h"
#include "rows.h"

#define LEVEL_TABLE(NAME) \
  { \
    .name = NAME, .level = TARN_LEVEL, .ops = OP_TABLE, .loads = LOAD_TABLE, .stores = STORE_TABLE, \
    .folds = FOLD_TABLE, .short_folds = SHORT_FOLD_TABLE, .row_folds = ROW_FOLD_TABLE, .stream = stream, \
    .mr = MR, .nr = {NR_F, NR_D}, .tile = TILE_TABLE, \
    .pack_transposed = {pack_transposed_f, pack_transposed_d}, .dots = {dots_f, dots_d}, \
    .combination = {combination_f, combination_d}, .gather = {gather_f, gather_d}, .taps = {taps_f, taps_d}, \
    .tap_sums = {tap_sums_f, tap_sums_d}, .philox = philox, .sum_row = {sum_row_f, sum_row_d}, \
    .exponentials = {exponentials_f, exponentials_d}, .subtract = {subtract_f, subtract_d}, \
    .normalize_row = {normalize_row_f, normalize_row_d}, \
    .row_tile = ROW_TILE_TABLE, .cell = CELL_TABLE, .cell_slope = CELL_SLOPE_TABLE, .gru_new = gru_new_forward, \
    .gru_reset = gru_gates_backward, \
  }

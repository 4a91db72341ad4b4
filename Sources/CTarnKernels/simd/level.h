// Everything of one level, and its table.
#ifdef TARN_FUZZING
// With the checks of the sanitizers these files take minutes to compile; whoever calls the kernels is checked.
#pragma clang attribute push(__attribute__((no_sanitize("address", "undefined", "coverage"))), apply_to = function)
#endif

#include "ops.h"

#include "convert.h"
#include "fold.h"
#include "gemm.h"

#include "affine.h"
#include "attention.h"
#include "blocked_depthwise.h"
#include "blocked.h"
#include "chain.h"
#include "conv.h"
#include "direct.h"
#include "philox.h"
#include "pool.h"
#include "recurrent.h"
#include "rows.h"
#include "weight_gradient.h"
#include "winograd.h"
#include "strips.h"

#ifdef TARN_FUZZING
#pragma clang attribute pop
#endif

#define LEVEL_TABLE(NAME) \
  { \
    .name = NAME, .level = TARN_LEVEL, .ops = OP_TABLE, .loads = LOAD_TABLE, .stores = STORE_TABLE, \
    .folds = FOLD_TABLE, .short_folds = SHORT_FOLD_TABLE, .row_folds = ROW_FOLD_TABLE, .take_rows = TAKE_ROWS_TABLE, \
    .stream = stream, .chain = run_chain, \
    .mr = MR, .nr = {NR_F, NR_D}, .tile = TILE_TABLE, \
    .pack_transposed = {pack_transposed_vectors, pack_transposed_d}, \
    .pack_panels = {{pack_rows_f, pack_columns_f}, {pack_rows_d, pack_columns_d}}, .dots = {dots_f, dots_d}, \
    .combination = {combination_f, combination_d}, .gather = {gather_f, gather_d}, .taps = {taps_f, taps_d}, \
    .tap_sums = {tap_sums_f, tap_sums_d}, .philox = philox, .sum_row = {sum_row_f, sum_row_d}, \
    .exponentials = {exponentials_f, exponentials_d}, .subtract = {subtract_f, subtract_d}, \
    .softmax_row = {softmax_row_f, softmax_row_d}, \
    .normalize_row = {normalize_row_f, normalize_row_d}, \
    .normalize_gradient = {normalize_gradient_f, normalize_gradient_d}, \
    .affine_pixels = affine_pixels, \
    .blend_pixels = blend_pixels, \
    .depthwise = &depthwise_kernels, \
    .weight_gradient = &weight_kernels, \
    .blocked_memory = &blocked_memory, \
    .winograd = &winograd_kernels, \
    .direct = &direct_kernels, \
    .pool_pairs = {pool_pairs_f, pool_pairs_d}, \
    .unpool_pairs = {unpool_pairs_f, unpool_pairs_d}, .choose_pairs = {choose_pairs_f, choose_pairs_d}, \
    .strip_outputs = STRIP_OUTPUTS, .product_taps = PRODUCT_TAPS, .strip_sums = STRIP_TABLE, \
    .strip_products = PRODUCT_TABLE, .lane_sums = {lane_sums_f, lane_sums_d}, \
    .gather_rows = {gather_rows_f, gather_rows_d}, .spread_rows = {spread_rows_f, spread_rows_d}, \
    .all_finite = {all_finite_f, all_finite_d}, \
    .row_tile = ROW_TILE_TABLE, .cell = CELL_TABLE, .cell_slope = CELL_SLOPE_TABLE, .gru_new = gru_new_forward, \
    .gru_reset = gru_gates_backward, .attention = &attention_kernels, \
  }

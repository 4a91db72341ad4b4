// Facts about the instructions of a tape.
#include "internal.h"

int tarn_operand_count(int op) {
  if (op == TARN_SELECT || op == TARN_FMA) return 3;
  return op >= TARN_ADD && op <= TARN_LE ? 2 : 1;
}

unsigned tarn_scalar_operands(int op, int cls) {
  switch (op) {
    case TARN_POW:
      return cls == TARN_F32 ? 3 : 0;
    case TARN_DIV:
      return cls == TARN_F32 || cls == TARN_F64 ? 3 : 0;
    case TARN_REMAINDER:
    case TARN_FLOORDIV:
    case TARN_ATAN2:
      return 0;
    case TARN_SELECT:
      return 6;
    case TARN_FMA:
      return 7;
    default:
      return op >= TARN_ADD && op <= TARN_LE ? 3 : 0;
  }
}

int tarn_result_class(const tarn_instr *instr) {
  switch (instr->op) {
    case TARN_EQ:
    case TARN_NE:
    case TARN_LT:
    case TARN_LE:
    case TARN_CAST_I32:
    case TARN_CAST_BOOL:
      return TARN_I32;
    case TARN_CAST_F32:
      return TARN_F32;
    case TARN_CAST_F64:
      return TARN_F64;
    case TARN_CAST_I64:
      return TARN_I64;
    default:
      return instr->cls;
  }
}

int tarn_operand_class(const tarn_instr *instr, int operand) {
  return instr->op == TARN_SELECT && operand == 0 ? TARN_I32 : instr->cls;
}

int tarn_op_exists(int op, int cls) {
  if (op < 0 || op >= TARN_OP_COUNT || cls < 0 || cls > 3) return 0;
  return tarn_level_portable.ops[op][cls] != NULL;
}

int tarn_op_cost(int op, int cls) {
  int one_by_one = cls == TARN_F32 ? 1 : 4;
  switch (op) {
    case TARN_EXP:
    case TARN_EXPM1:
    case TARN_LOG:
    case TARN_LOG1P:
    case TARN_SIN:
    case TARN_COS:
    case TARN_TANH:
    case TARN_ERF:
    case TARN_SIGMOID:
    case TARN_GELU:
      return 10 * one_by_one;
    case TARN_TAN:
    case TARN_GELU_SLOPE:
    case TARN_ERFINV:
    case TARN_POW:
      return 20 * one_by_one;
    case TARN_ASIN:
    case TARN_ACOS:
    case TARN_ATAN:
    case TARN_ATAN2:
    case TARN_REMAINDER:
    case TARN_FLOORDIV:
      return 60;
    default:
      return 1;
  }
}

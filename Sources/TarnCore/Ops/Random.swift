/// Random numbers from a key and a position alone: the same on every device and any number of
/// threads.
///
/// The generator is Philox 4x32-10. Of a key `[k, s]`, the two halves of k (low, high) are Philox's
/// key words, and those of s the counter words 2 and 3. Block j has the counter words (low j, high
/// j, low s, high s) and gives four words w₀ … w₃. Element i, in row-major order, is
///
/// - `uniform` float32: (w >> 8) · 2⁻²⁴ with word i mod 4 of block i / 4; float16 and bfloat16:
///   that, rounded down;
/// - `uniform` float64: (v >> 11) · 2⁻⁵³, and `bits`: v, where v = hi · 2³² + lo with the words
///   2 (i mod 2) and 2 (i mod 2) + 1 of block i / 2 as hi and lo.
///
/// Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
extension Rule {
  static let random = Rule.constant(
    batch: { op, x, _, count, shape, dtype in
      let examples = (0..<count).map { example in
        Tensor.record(op, x[0].sliced(0, example, example + 1).reshaped([2]), shape, dtype)
          .reshaped([1] + shape)
      }
      return Tensor.record(.concatenate(axis: 0), examples, [count] + shape, dtype)
    },
    reference: { op, x, shape, dtype in
      guard case .random(let kind) = op else { return x[0] }
      let key = x[0].integers.map { UInt64(bitPattern: $0) }
      let philox = Philox(key: key[0], stream: key[1])
      let count = shape.product
      if kind == .bits {
        let bits = (0..<count).map { Int64(bitPattern: philox.longWord($0)) }
        return HostArray(shape: shape, dtype: dtype, integers: bits)
      }
      let reals = (0..<count).map { i in
        dtype == .float64
          ? Double(philox.longWord(i) >> 11) * 0x1p-53
          : roundedDown(Double(philox.word(i) >> 8) * 0x1p-24, to: dtype)
      }
      return HostArray(shape: shape, dtype: dtype, reals: reals)
    })

  /// So that what is below 1 stays below 1.
  private static func roundedDown(_ value: Double, to dtype: DType) -> Double {
    switch dtype {
    case .float16:
      let rounded = Float16(value)
      return Double(Double(rounded) > value ? rounded.nextDown : rounded)
    case .bfloat16:
      return Double(Float(bitPattern: Float(value).bitPattern & 0xffff_0000))
    default: return value
    }
  }
}

/// Philox 4x32 with ten rounds.
package struct Philox {
  let key: UInt64
  let stream: UInt64

  package init(key: UInt64, stream: UInt64) {
    (self.key, self.stream) = (key, stream)
  }

  /// Word `i` of the stream.
  package func word(_ i: Int) -> UInt32 { block(UInt64(i / 4))[i % 4] }

  /// Words 2 i and 2 i + 1 of the stream, the first as the upper half.
  package func longWord(_ i: Int) -> UInt64 {
    let words = block(UInt64(i / 2))
    return UInt64(words[i % 2 * 2]) << 32 | UInt64(words[i % 2 * 2 + 1])
  }

  /// The four words for the counter (low index, high index, low stream, high stream).
  package func block(_ index: UInt64) -> [UInt32] {
    func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }
    func high(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value >> 32) }
    var c = [low(index), high(index), low(stream), high(stream)]
    var (k0, k1) = (low(key), high(key))
    for _ in 0..<10 {
      let a = UInt64(c[0]) * 0xd251_1f53, b = UInt64(c[2]) * 0xcd9e_8d57
      c = [high(b) ^ c[1] ^ k0, low(b), high(a) ^ c[3] ^ k1, low(a)]
      k0 &+= 0x9e37_79b9
      k1 &+= 0xbb67_ae85
    }
    return c
  }
}

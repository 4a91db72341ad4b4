/// The counter-based generator Philox 4×32-10: ten rounds that turn a counter of four words and a
/// key of two into four random words. Nothing is carried from one call to the next.
///
/// Salmon, Moraes, Dror, Shaw, *Parallel Random Numbers: As Easy as 1, 2, 3*, 2011.
package enum Philox {
  /// The four random words of one counter under one key.
  package static func block(
    counter: SIMD4<UInt32>, key: SIMD2<UInt32>
  ) -> SIMD4<UInt32> {
    var (c, k) = (counter, key)
    for round in 0..<10 {
      if round > 0 { k &+= SIMD2(0x9e37_79b9, 0xbb67_ae85) }
      let (high0, low0) = (0xd251_1f53 as UInt32).multipliedFullWidth(by: c[0])
      let (high1, low1) = (0xcd9e_8d57 as UInt32).multipliedFullWidth(by: c[2])
      c = SIMD4(high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0)
    }
    return c
  }
}

/// The digest SHA-256 (FIPS 180-4) of bytes that come piece by piece.
///
/// ```swift
/// var digest = SHA256()
/// bytes.withUnsafeBytes { digest.add($0) }
/// print(digest.text)
/// ```
package struct SHA256 {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  /// Bytes that do not fill a block of 64 yet.
  private var rest: [UInt8] = []
  private var count: UInt64 = 0
  private var schedule = [UInt32](repeating: 0, count: 64)

  package init() {}

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    count &+= UInt64(bytes.count)
    var place = 0
    if !rest.isEmpty {
      place = min(64 - rest.count, bytes.count)
      rest += bytes[..<place]
      guard rest.count == 64 else { return }
      let block = rest
      rest.removeAll(keepingCapacity: true)
      block.withUnsafeBytes { mix($0) }
    }
    while bytes.count - place >= 64 {
      mix(UnsafeRawBufferPointer(rebasing: bytes[place..<place + 64]))
      place += 64
    }
    rest += bytes[place...]
  }

  /// 64 hexadecimal digits, of all bytes so far.
  package var text: String {
    var copy = self
    let bits = count &* 8
    let zeros = (119 - Int(count % 64)) % 64
    var tail: [UInt8] = [0x80] + [UInt8](repeating: 0, count: zeros)
    for shift in stride(from: 56, through: 0, by: -8) { tail.append(UInt8(bits >> shift & 0xff)) }
    tail.withUnsafeBytes { copy.add($0) }
    return copy.state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private mutating func mix(_ block: UnsafeRawBufferPointer) {
    state.withUnsafeMutableBufferPointer { state in
      schedule.withUnsafeMutableBufferPointer { w in
        Self.expand(block, into: w)
        Self.compress(w, into: state)
      }
    }
  }

  private static func expand(
    _ block: UnsafeRawBufferPointer, into w: UnsafeMutableBufferPointer<UInt32>
  ) {
    for t in 0..<16 {
      w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
    }
    for t in 16..<64 {
      let (a, b) = (w[t - 15], w[t - 2])
      let s0 = turned(a, 7) ^ turned(a, 18) ^ a >> 3
      let s1 = turned(b, 17) ^ turned(b, 19) ^ b >> 10
      w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
    }
  }

  private static func compress(
    _ w: UnsafeMutableBufferPointer<UInt32>, into state: UnsafeMutableBufferPointer<UInt32>
  ) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    constants.withUnsafeBufferPointer { k in
      for t in 0..<64 {
        let s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
        let first = h &+ s1 &+ (e & f ^ ~e & g) &+ k[t] &+ w[t]
        let s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
        let second = s0 &+ (a & b ^ a & c ^ b & c)
        (h, g, f, e) = (g, f, e, d &+ first)
        (d, c, b, a) = (c, b, a, first &+ second)
      }
    }
    for (place, value) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= value }
  }

  @inline(__always)
  private static func turned(_ x: UInt32, _ by: UInt32) -> UInt32 { x &>> by | x &<< (32 - by) }

  /// The first 32 bits of the fractions of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = {
    var primes: [Int] = []
    var candidate = 2
    while primes.count < 64 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map(cubeRootFraction)
  }()

  /// ⌊(∛p − ⌊∛p⌋) · 2³²⌋, exactly: the largest r with r³ ≤ p · 2⁹⁶, without its bits above the 32nd.
  private static func cubeRootFraction(_ prime: Int) -> UInt32 {
    var root: UInt64 = 0
    for bit in stride(from: 34, through: 0, by: -1) {
      let trial = root | 1 << UInt64(bit)
      let square = trial.multipliedFullWidth(by: trial)
      // trial³ as three words, against p · 2⁹⁶, whose second word is p · 2³².
      let low = square.low.multipliedFullWidth(by: trial)
      let middle = square.high.multipliedFullWidth(by: trial)
      let (sum, carry) = low.high.addingReportingOverflow(middle.low)
      let limit = UInt64(prime) << 32
      let isAbove =
        carry || middle.high > 0 || sum > limit || (sum == limit && low.low > 0)
      if !isAbove { root = trial }
    }
    return UInt32(truncatingIfNeeded: root)
  }
}

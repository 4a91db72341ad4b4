import CTarnDigits
import TarnCore

/// The 1,797 handwritten digits of 8×8 pixels that come with this library: enough to learn on in
/// seconds, with nothing to fetch.
///
/// E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
/// Repository, 1998, CC BY 4.0.
///
/// ```swift
/// let (images, labels) = Digits.load()        // [1797, 1, 8, 8] 0…1, [1797] 0…9
/// let (train, test) = Digits.split()          // 1,438 and 359 examples
/// ```
public enum Digits {
  /// Number of digits.
  public static var count: Int { Int(tarn_digits_count()) }
  /// What the class numbers mean.
  public static let classes = (0...9).map(String.init)

  /// Images, `float32` 0…1, [1797, 1, 8, 8], and labels, `int64` 0…9, [1797].
  public static func load() -> (images: Tensor, labels: Tensor) {
    var pixels: [Float] = []
    var labels: [Int64] = []
    pixels.reserveCapacity(count * 64)
    for index in 0..<count {
      guard let digit = tarn_digit(Int32(index)) else { continue }
      for i in 0..<64 { pixels.append(Float(digit[i] - 65) / 16) }
      labels.append(Int64(digit[64] - 48))
    }
    return (Tensor(pixels, shape: [labels.count, 1, 8, 8]), Tensor(labels))
  }

  /// All digits as a source.
  public static func source() -> TensorSource {
    let (images, labels) = load()
    return TensorSource(features: images, labels: labels)
  }

  /// The usual split: 80 % to train, 20 % to test, with the same share of every digit in both.
  public static func split(
    seed: UInt64 = 0
  ) -> (train: Subset<TensorSource>, test: Subset<TensorSource>) {
    let parts = source().stratifiedSplit([0.8, 0.2], seed: seed)
    return (parts[0], parts[1])
  }
}

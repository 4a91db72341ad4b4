import CTarnImages
import TarnCore

/// Bytes to the numbers a network takes: what ``Preprocessing`` does after scaling and cropping.
struct Normalization: Sendable {
  /// 256 numbers for each of the three planes.
  let tables: [Float]
  private let isReversed: Bool

  init(_ rule: Preprocessing) {
    isReversed = rule.channelOrder == .bgr
    tables = (0..<3).flatMap { channel in
      let mean = Self.element(channel, rule.mean, else: 0)
      let deviation = Self.element(channel, rule.deviation, else: 1)
      return (0..<256).map { Float((Double($0) * rule.scale - mean) / deviation) }
    }
  }

  /// One number stands for all channels.
  static func element(_ channel: Int, _ numbers: [Double], else number: Double) -> Double {
    numbers.count == 1 ? numbers[0] : channel < numbers.count ? numbers[channel] : number
  }

  /// Writes [3, H, W] to `planes`.
  func write(_ image: Image, to planes: UnsafeMutablePointer<Float>) {
    let order: [Int32] = image.isGrey ? [0, 0, 0] : isReversed ? [2, 1, 0] : [0, 1, 2]
    tarn_image_planes(
      image.bytes, Int64(image.width * image.channels), Int32(image.width), Int32(image.height),
      Int32(image.channels), order, 3, tables, planes, Int64(image.width * image.height),
      Int64(image.width))
  }

  /// [3, H, W].
  func tensor(_ image: Image) -> Tensor {
    let count = 3 * image.width * image.height
    let values = [Float](unsafeUninitializedCapacity: count) { room, filled in
      if let base = room.baseAddress { write(image, to: base) }
      filled = count
    }
    return Tensor(values, shape: [3, image.height, image.width])
  }
}

extension Preprocessing {
  /// Only the last step: (byte · scale − mean) / deviation, [3, H, W], of a picture of any size.
  public func normalized(_ image: Image) -> Tensor {
    Normalization(self).tensor(image)
  }

  /// The picture that a network's input, [3, H, W], shows: the last step undone, cut to 0…255 and
  /// rounded.
  public func image(showing input: Tensor) -> Image {
    guard input.rank == 3, input.shape[0] == 3, !input.shape.contains(0) else {
      return Diagnostic.report(
        Diagnostic(
          operation: "image(showing:)", reason: "a network's input has the shape [3, H, W]",
          facts: ["tensor \(input.shape)"], hint: "take one of a batch with batch[0]"),
        giving: Image(width: 1, height: 1, filledWith: [0]))
    }
    let (height, width) = (input.shape[1], input.shape[2])
    let values = input.array(of: Float.self)
    return Image.filling(width: width, height: height, channels: 3) { room in
      for channel in 0..<3 {
        let mean = Normalization.element(channel, mean, else: 0)
        let deviation = Normalization.element(channel, deviation, else: 1)
        let place = channelOrder == .bgr ? 2 - channel : channel
        for i in 0..<(width * height) {
          let value = Double(values[channel * width * height + i])
          let byte = ((value * deviation + mean) / scale).rounded()
          room[3 * i + place] = byte.isNaN ? 0 : UInt8(max(0, min(255, byte)))
        }
      }
    }
  }
}

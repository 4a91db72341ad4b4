import CTarnImages
import TarnCore

extension Image {
  /// In grey: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601).
  public var grey: Image {
    guard channels == 3 else { return self }
    return Image.filling(width: width, height: height, channels: 1) {
      tarn_image_luma(bytes, Int64(width * height), $0)
    }
  }

  /// In red, green and blue.
  public var colour: Image {
    guard channels == 1 else { return self }
    return Image.filling(width: width, height: height, channels: 3) { room in
      for (i, byte) in bytes.enumerated() {
        for c in 0..<3 { room[3 * i + c] = byte }
      }
    }
  }

  /// Brighter or darker: every byte times `factor`.
  public func brightened(by factor: Double) -> Image {
    changing { tarn_image_blend_with($0, Int64(bytes.count), 0, Float(factor)) }
  }

  /// With more contrast or less: every byte's distance from the picture's mean grey times `factor`.
  public func contrasted(by factor: Double) -> Image {
    let mean = UInt8(clamping: Int(meanGrey + 0.5))
    return changing { tarn_image_blend_with($0, Int64(bytes.count), mean, Float(factor)) }
  }

  /// More colourful or less: every pixel's distance from its grey times `factor`; 0 is grey.
  public func saturated(by factor: Double) -> Image {
    guard channels == 3 else { return self }
    let grey = grey.bytes
    return changing { tarn_image_blend($0, Int64(bytes.count), grey, 3, Float(factor)) }
  }

  /// Colours turned around the circle of hues by −½ to ½ of it.
  public func hueTurned(by part: Double) -> Image {
    guard channels == 3, part.isFinite else { return self }
    let shift = Int32(truncatingIfNeeded: Int((max(-1, min(1, part)) * 255).rounded(.towardZero)))
    return changing { tarn_image_turn_hue($0, Int64(width * height), shift) }
  }

  /// Sharper or smoother: every byte's distance from a smoothed picture's times `factor`.
  public func sharpened(by factor: Double) -> Image {
    let smooth = Image.filling(width: width, height: height, channels: channels) {
      tarn_image_smooth(bytes, Int32(width), Int32(height), Int32(channels), $0)
    }
    return changing { tarn_image_blend($0, Int64(bytes.count), smooth.bytes, 1, Float(factor)) }
  }

  /// Only the uppermost bits of every byte.
  public func posterized(bits: Int) -> Image {
    let mask = UInt8(truncatingIfNeeded: 0xff << (8 - min(max(bits, 0), 8)))
    return mapped { $0 & mask }
  }

  /// Bytes from `threshold` up inverted.
  public func solarized(threshold: Int) -> Image {
    mapped { Int($0) >= threshold ? 255 - $0 : $0 }
  }

  public var inverted: Image { mapped { 255 - $0 } }

  /// Each channel stretched so that it reaches from 0 to 255.
  public var autocontrasted: Image {
    changingChannels { counts in
      guard let low = counts.firstIndex(where: { $0 > 0 }),
        let high = counts.lastIndex(where: { $0 > 0 }), low < high
      else { return nil }
      let scale = 255 / Double(high - low)
      let offset = -Double(low) * scale
      return (0..<256).map { UInt8(max(0, min(255, Double($0) * scale + offset))) }
    }
  }

  /// Each channel changed so that all bytes come about equally often.
  public var equalized: Image {
    changingChannels { counts in
      let used = counts.filter { $0 > 0 }
      guard used.count > 1, let last = used.last else { return nil }
      let step = (used.reduce(0, +) - last) / 255
      guard step > 0 else { return nil }
      var sum = step / 2
      return counts.map { count in
        defer { sum += count }
        return UInt8(clamping: sum / step)
      }
    }
  }

  /// Mean of the picture's grey.
  private var meanGrey: Double {
    let grey = grey.bytes
    return Double(grey.reduce(0) { $0 + Int($1) }) / Double(grey.count)
  }

  /// Each byte passed through a function.
  func mapped(_ function: (UInt8) -> UInt8) -> Image {
    let table = (0...255).map { function(UInt8($0)) }
    return changing { room in
      for i in 0..<bytes.count { room[i] = table[Int(room[i])] }
    }
  }

  /// A copy whose bytes `body` changes.
  func changing(_ body: (UnsafeMutablePointer<UInt8>) -> Void) -> Image {
    var copy = bytes
    copy.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { body(base) } }
    return Image(unchecked: copy, width: width, height: height, channels: channels)
  }

  /// Each channel passed through a table made of how often its bytes come; nil leaves it.
  private func changingChannels(_ table: ([Int]) -> [UInt8]?) -> Image {
    var copy = bytes
    for channel in 0..<channels {
      var counts = [Int](repeating: 0, count: 256)
      for i in stride(from: channel, to: bytes.count, by: channels) { counts[Int(bytes[i])] += 1 }
      guard let table = table(counts) else { continue }
      for i in stride(from: channel, to: bytes.count, by: channels) {
        copy[i] = table[Int(bytes[i])]
      }
    }
    return Image(unchecked: copy, width: width, height: height, channels: channels)
  }
}

import CTarnImages
import TarnCore
import TarnData

extension Image {
  /// The picture as numbers 0…1, [C, H, W], `float32`: byte / 255.
  public var tensor: Tensor {
    let table = (0..<256).map { Float($0) / 255 }
    let values = planes(
      tables: [[Float]](repeating: table, count: channels), from: Array(0..<channels))
    return Tensor(values, shape: [channels, height, width])
  }

  /// The picture's bytes, [C, H, W], `uint8`.
  public var byteTensor: Tensor {
    let area = width * height
    let planes = [UInt8](unsafeUninitializedCapacity: bytes.count) { room, filled in
      for c in 0..<channels {
        for i in 0..<area { room[c * area + i] = bytes[i * channels + c] }
      }
      filled = bytes.count
    }
    return planes.withUnsafeBytes {
      Tensor(bytes: $0, shape: [channels, height, width], dtype: .uint8)
    }
  }

  /// A picture from [C, H, W] with 1 or 3 channels, or [H, W]. Floating values are taken as 0…1, cut
  /// and rounded; integers as 0…255.
  public init(_ tensor: Tensor) {
    let shape = tensor.rank == 2 ? [1] + tensor.shape : tensor.shape
    guard shape.count == 3, shape[0] == 1 || shape[0] == 3, !shape.contains(0) else {
      Diagnostic.report(
        Diagnostic(
          operation: "Image", reason: "a picture has the shape [C, H, W] with 1 or 3 channels",
          facts: ["tensor \(tensor.shape)"], hint: "take one of a batch with batch[0]"))
      self.init(unchecked: [0], width: 1, height: 1, channels: 1)
      return
    }
    let planes = pixelBytes(tensor)
    let (channels, area) = (shape[0], shape[1] * shape[2])
    let bytes = [UInt8](unsafeUninitializedCapacity: planes.count) { room, filled in
      for c in 0..<channels {
        for i in 0..<area { room[i * channels + c] = planes[c * area + i] }
      }
      filled = planes.count
    }
    self.init(unchecked: bytes, width: shape[2], height: shape[1], channels: channels)
  }

  /// Planes of numbers looked up in tables: plane c has `tables[c][byte from[c] of the pixel]`.
  func planes(tables: [[Float]], from: [Int]) -> [Float] {
    let area = width * height
    return [Float](unsafeUninitializedCapacity: tables.count * area) { room, filled in
      if let base = room.baseAddress {
        tarn_image_planes(
          bytes, Int64(width * channels), Int32(width), Int32(height), Int32(channels),
          from.map(Int32.init), Int32(tables.count), tables.flatMap { $0 }, base, Int64(area),
          Int64(width))
      }
      filled = tables.count * area
    }
  }
}

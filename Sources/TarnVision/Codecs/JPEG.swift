import CTarnImages
import TarnData

/// JPEG files, through libjpeg-turbo.
enum JPEG {
  /// A pixel block takes a bit at least (its DC coefficient), so a byte holds 8 · 64 pixels at most.
  private static let mostPixelsPerByte = 512

  static func read(
    _ file: FileBytes, _ reading: ImageReading,
    choosing choose: ((width: Int, height: Int)) -> PixelRectangle?
  ) throws -> ImagePart {
    let orientation = reading.turnsUpright ? Exif.orientation(of: file) : 1
    return try file.withBytes { bytes in
      let decoder = try Decoder(file, bytes, reading)
      defer { decoder.close() }
      let (width, height) = (decoder.width, decoder.height)
      let scaled = reading.reduction
      try checkSize(
        width * scaled, height * scaled,
        most: (file.count + 1024) * mostPixelsPerByte, file, reading)
      guard orientation == 1 else {
        let isTurned = orientation >= 5
        let size = isTurned ? (height, width) : (width, height)
        guard choose(size) != nil else { return .nothing }
        let whole = try decoder.read(PixelRectangle(width: width, height: height))
        return ImagePart(whole.oriented(orientation))
      }
      guard let area = choose((width, height)) else { return .nothing }
      return ImagePart(try decoder.read(area), x: area.x, y: area.y, of: (width, height))
    }
  }

  /// A file of which the header is read.
  private struct Decoder {
    private let file: FileBytes
    private let handle: OpaquePointer
    private let channels: Int
    let width: Int
    let height: Int

    init(
      _ file: FileBytes, _ bytes: UnsafeRawBufferPointer, _ reading: ImageReading
    ) throws(DataError) {
      var handle: OpaquePointer?
      var info = tarn_image_info()
      var message = [CChar](repeating: 0, count: TARN_IMAGE_MESSAGE)
      let status = tarn_jpeg_open(
        bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, Int32(reading.reduction),
        reading.allowsDamage ? 1 : 0, &handle, &info, &message)
      guard status == 0, let handle else {
        throw imageError(status, message, file, format: "JPEG")
      }
      (self.file, self.handle) = (file, handle)
      let isColour = info.channels == 3 || reading.channels == .colour
      (width, height, channels) = (Int(info.width), Int(info.height), isColour ? 3 : 1)
    }

    func close() { tarn_jpeg_close(handle) }

    func read(_ area: PixelRectangle) throws -> Image {
      var message = [CChar](repeating: 0, count: TARN_IMAGE_MESSAGE)
      return try Image.filling(width: area.width, height: area.height, channels: channels) { room in
        let status = tarn_jpeg_read(
          handle, Int32(area.x), Int32(area.y), Int32(area.width), Int32(area.height),
          Int32(channels), room, area.width * channels, &message)
        if status != 0 { throw imageError(status, message, file, format: "JPEG") }
      }
    }
  }

  /// - Parameter quality: 1 to 100.
  static func encode(
    _ image: Image, quality: Int, halvesColour: Bool, name: String
  ) throws(DataError) -> [UInt8] {
    try encoded(name) { bytes, count, message in
      tarn_jpeg_write(
        image.bytes, Int32(image.width), Int32(image.height), Int32(image.channels),
        Int32(min(max(quality, 1), 100)), halvesColour ? 1 : 0, bytes, count, message)
    }
  }
}

/// Takes over what a C encoder wrote.
func encoded(
  _ name: String,
  _ body: (
    UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>,
    UnsafeMutablePointer<CChar>
  ) -> Int32
) throws(DataError) -> [UInt8] {
  var bytes: UnsafeMutablePointer<UInt8>?
  var count = 0
  var message = [CChar](repeating: 0, count: TARN_IMAGE_MESSAGE)
  let status = body(&bytes, &count, &message)
  defer { tarn_image_free(bytes) }
  guard status == 0 else {
    let text = String(
      decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    throw DataError(
      .unwritable, file: name,
      reason: status == 3 ? "there is not enough memory to encode the picture" : text)
  }
  return Array(UnsafeBufferPointer(start: bytes, count: count))
}

import Foundation
import Tarn
import Testing

@Suite struct CodecTests {
  @Test func filesComeOutAsPillowReadsThem() throws {
    let goldens = try Goldens.shared.get()
    let cases = goldens.cases("file_")
    #expect(cases.count > 40)
    for name in cases {
      let image = try Image(encoded: try goldens.bytes("\(name)/file"), name: name)
      let wanted = try goldens.image("\(name)/pixels")
      // A palette of greys is grey here.
      let found = image.channels == wanted.channels ? image : image.colour
      #expect(difference(found, wanted) == 0, "\(name): \(image), \(wanted)")
    }
  }

  @Test func picturesAreTurnedUpright() throws {
    let goldens = try Goldens.shared.get()
    for orientation in 1...8 {
      let file = try goldens.bytes("exif_\(orientation)/file")
      let wanted = try goldens.image("exif_\(orientation)/pixels")
      #expect(try Image(encoded: file) == wanted, "orientation \(orientation)")
      let asStored = try Image(encoded: file, ImageReading(turnsUpright: false))
      #expect((asStored.width, asStored.height) == (11, 6))
    }
  }

  @Test(arguments: [1, 3]) func losslessFormatsGiveBackWhatWasWritten(channels: Int) throws {
    for (width, height) in [(1, 1), (2, 3), (17, 9), (64, 5)] {
      let image = testImage(width, height, channels: channels)
      for format in [ImageFormat.png, .bmp, .netpbm] {
        #expect(try Image(encoded: image.encoded(as: format)) == image, "\(format) \(image)")
      }
    }
  }

  @Test func jpegComesNearWhatWasWritten() throws {
    for channels in [1, 3] {
      let smooth = testImage(60, 44, channels: channels).resized(width: 120, height: 88)
      let fine = try Image(encoded: smooth.encoded(as: .jpeg, quality: 98))
      let coarse = try Image(encoded: smooth.encoded(as: .jpeg, quality: 20))
      let (near, far) = (meanDifference(fine, smooth), meanDifference(coarse, smooth))
      #expect(near < 2 && near < far && far < 40, "\(near) \(far)")
    }
  }

  private func meanDifference(_ a: Image, _ b: Image) -> Double {
    let sum = zip(a.bytes, b.bytes).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    return Double(sum) / Double(a.bytes.count)
  }

  @Test func jpegIsReadAtPartOfItsSize() throws {
    let file = try testImage(100, 60).encoded(as: .jpeg)
    for (reduction, width, height) in [(1, 100, 60), (2, 50, 30), (4, 25, 15), (8, 13, 8)] {
      let image = try Image(encoded: file, ImageReading(reduction: reduction))
      #expect((image.width, image.height) == (width, height))
    }
  }

  @Test func opacityIsDroppedOrLaidOverABackground() throws {
    let goldens = try Goldens.shared.get()
    let file = try goldens.bytes("file_png_rgba/file")
    let plain = try Image(encoded: file)
    let overWhite = try Image(
      encoded: file, ImageReading(opacity: .over(red: 255, green: 255, blue: 255)))
    // The golden case's opacity is its green.
    for i in 0..<(plain.width * plain.height) {
      let opacity = Int(plain.bytes[3 * i + 1])
      for c in 0..<3 {
        let wanted = (Int(plain.bytes[3 * i + c]) * opacity + 255 * (255 - opacity) + 127) / 255
        #expect(Int(overWhite.bytes[3 * i + c]) == wanted)
      }
    }
  }

  @Test func channelsAreAsAskedFor() throws {
    let colour = testImage(9, 7)
    for format in ImageFormat.allCases {
      let file = try colour.encoded(as: format)
      #expect(try Image(encoded: file, ImageReading(channels: .grey)).channels == 1)
      let greyFile = try colour.grey.encoded(as: format)
      #expect(try Image(encoded: greyFile).channels == 1)
      let widened = try Image(encoded: greyFile, ImageReading(channels: .colour))
      #expect(widened == (try Image(encoded: greyFile)).colour, "\(format)")
    }
  }

  @Test func namesDoNotMatterContentsDo() throws {
    let folder = try TemporaryFolder()
    let image = testImage(8, 8)
    let file = folder.file("صورة.jpg")
    try image.write(to: file, as: .png)
    #expect(try Image(contentsOf: file) == image)
    #expect(try Image.size(of: file) == (8, 8))
    expectDataError(.unwritable, "xyz") { try image.write(to: folder.file("a.xyz")) }
  }

  @Test func sizesAreBounded() throws {
    let file = try testImage(300, 200).encoded(as: .png)
    expectDataError(.unsupported, "300×200", "mostPixels") {
      _ = try Image(encoded: file, ImageReading(mostPixels: 59_999))
    }
    #expect(try Image(encoded: file, ImageReading(mostPixels: 60_000)).width == 300)
    let wide = testImage(20_000, 3)
    for format in ImageFormat.allCases {
      #expect(try Image(encoded: wide.encoded(as: format)).width == 20_000)
    }
    expectDataError(.unwritable, "65500") { _ = try testImage(65_501, 1).encoded(as: .jpeg) }
  }

  @Test func whatIsNoPictureIsNamed() throws {
    expectDataError(.invalid, "empty") { _ = try Image(encoded: []) }
    expectDataError(.invalid, "a text") { _ = try Image(encoded: Array("<!DOCTYPE html>".utf8)) }
    expectDataError(.unsupported, "GIF") { _ = try Image(encoded: Array("GIF89a....".utf8)) }
    expectDataError(.unsupported, "WebP") {
      _ = try Image(encoded: Array("RIFF....WEBPVP8 ".utf8))
    }
    expectDataError(.invalid, "no JPEG") { _ = try Image(encoded: [1, 2, 200, 0, 0]) }
    expectDataError(.missing, "there is no such file") {
      _ = try Image(contentsOf: URL(fileURLWithPath: "/nowhere/a.jpg"))
    }
  }

  @Test func damagedJPEGIsRefusedOrFilled() throws {
    let file = try testImage(64, 64).encoded(as: .jpeg)
    let cut = Array(file[..<(file.count * 2 / 3)])
    expectDataError(.invalid, "ends too early") { _ = try Image(encoded: cut) }
    let filled = try Image(encoded: cut, ImageReading(allowsDamage: true))
    let whole = try Image(encoded: file)
    #expect(filled.bytes[..<3000] == whole.bytes[..<3000] && filled != whole)
  }

  @Test func tensorsComeBackAsTheSamePicture() throws {
    for channels in [1, 3] {
      let image = testImage(7, 5, channels: channels)
      #expect(image.tensor.shape == [channels, 5, 7])
      #expect(Image(image.tensor) == image)
      #expect(Image(image.byteTensor) == image)
      #expect(image.byteTensor.dtype == .uint8)
      let pixel = image[3, 2]
      for c in 0..<channels {
        #expect(abs(image.tensor[c, 2, 3].item() - Double(pixel[c]) / 255) < 1e-7)
      }
    }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = Image(Tensor.zeros([2, 4, 4])) }
    }
  }
}

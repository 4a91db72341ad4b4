import Foundation
import Tarn
import Testing

@Suite struct GeometryTests {
  @Test func scalingGivesPillowsBytes() throws {
    let goldens = try Goldens.shared.get()
    let photo = try goldens.image("photo/pixels")
    for interpolation in Preprocessing.Interpolation.allCases {
      let cases = goldens.cases("resize_\(interpolation.rawValue)")
      #expect(cases.count == 8)
      for name in cases {
        let wanted = try goldens.image("\(name)/pixels")
        let found = photo.resized(
          width: wanted.width, height: wanted.height, interpolation: interpolation)
        #expect(difference(found, wanted) == 0, "\(name)")
      }
    }
    let grey = photo.grey.resized(width: 14, height: 10, interpolation: .bicubic)
    #expect(difference(grey, try goldens.image("resize_grey/pixels")) == 0)
  }

  @Test func changesGiveTorchvisionsBytes() throws {
    let goldens = try Goldens.shared.get()
    let photo = try goldens.image("photo/pixels")
    for (number, change) in changes.enumerated() {
      let name = number < 10 ? "change_0\(number)" : "change_\(number)"
      let wanted = try goldens.image("\(name)/pixels")
      let found = change.apply(photo)
      let differing = try #require(
        difference(found, wanted), "\(name): \(found) is not \(wanted)")
      #expect(differing <= change.tolerance, "\(name): differs by \(differing)")
    }
    #expect(goldens.cases("change_").count == changes.count)
  }

  private struct Change {
    let tolerance: Int
    let apply: (Image) -> Image

    init(_ tolerance: Int = 0, _ apply: @escaping (Image) -> Image) {
      (self.tolerance, self.apply) = (tolerance, apply)
    }
  }

  /// As `CHANGES` in Tools/golden_cases/images.py.
  private let changes = [
    Change { $0.centreCropped(width: 15, height: 12) },
    Change { $0.centreCropped(width: 14, height: 13) },
    Change { $0.centreCropped(width: 20, height: 24) },
    Change { $0.centreCropped(width: 34, height: 15) },
    Change { $0.padded(left: 3, top: 1, right: 5, bottom: 2, .constant([9, 8, 7])) },
    Change { $0.padded(left: 3, top: 1, right: 5, bottom: 2, .edge) },
    Change { $0.padded(left: 3, top: 1, right: 5, bottom: 2, .reflect) },
    Change { $0.flippedHorizontally },
    Change { $0.flippedVertically },
    Change { $0.rotated(degrees: 30) },
    Change { $0.rotated(degrees: 30, interpolation: .bilinear) },
    Change { $0.rotated(degrees: -77.5, interpolation: .bilinear, fill: [1, 2, 3]) },
    Change { $0.rotated(degrees: 45, expands: true) },
    Change { $0.rotated(degrees: 90, expands: true) },
    Change { $0.rotated(degrees: 90) },
    Change { $0.rotated(degrees: 180) },
    Change { $0.transformed(AffineMap(translation: [4, -3])) },
    Change {
      $0.transformed(AffineMap(angle: 15, translation: [2, 5], scale: 0.8, shear: [10, -5]))
    },
    Change {
      $0.transformed(
        AffineMap(angle: 15, translation: [2, 5], scale: 1.3, shear: [10, -5]),
        interpolation: .bilinear, fill: [5, 6, 7])
    },
    Change { $0.brightened(by: 0.6) },
    Change { $0.brightened(by: 1.7) },
    Change { $0.contrasted(by: 0.5) },
    Change { $0.contrasted(by: 1.6) },
    Change { $0.saturated(by: 0) },
    Change { $0.saturated(by: 0.3) },
    Change { $0.saturated(by: 2.1) },
    Change { $0.hueTurned(by: 0.2) },
    Change { $0.hueTurned(by: -0.37) },
    Change { $0.sharpened(by: 0.2) },
    Change { $0.sharpened(by: 1.8) },
    Change { $0.posterized(bits: 3) },
    Change { $0.solarized(threshold: 100) },
    Change { $0.autocontrasted },
    Change { $0.equalized },
    Change { $0.inverted },
    Change { $0.grey },
  ]

  @Test func partsOfAScaledPictureAreThoseOfTheWhole() throws {
    var generator = SeededGenerator(seed: 5)
    for round in 0..<60 {
      func side(_ most: Int) -> Int { 1 + generator.integer(below: most) }
      let image = testImage(side(70), side(70), channels: round % 3 == 0 ? 1 : 3)
      let interpolation = Preprocessing.Interpolation.allCases[round % 3]
      let (width, height) = (side(50), side(50))
      let file = try image.encoded(as: .jpeg, quality: 92)
      let read = try Image(encoded: file)
      let wanted = read.resized(width: width, height: height, interpolation: interpolation)
        .centreCropped(width: 23, height: 20, rounding: .nearest)
      let rule = Preprocessing(
        resize: .exactly(height: height, width: width), crop: [20, 23],
        interpolation: interpolation)
      #expect(try rule.cropped(read) == wanted, "round \(round)")
      let folder = try TemporaryFolder()
      let url = try folder.write(file, to: "a.jpg")
      let direct = try rule(contentsOf: url)
      #expect(direct.array(of: Float.self) == (try rule(read)).array(of: Float.self))
    }
  }

  @Test func quarterTurnsComeRound() {
    let image = testImage(5, 3)
    #expect(image.turned(quarters: 1).turned(quarters: 3) == image)
    #expect(image.turned(quarters: -2) == image.turned(quarters: 2))
    #expect(image.turned(quarters: 1)[0, 0] == image[4, 0])
    #expect(image.flippedHorizontally.flippedHorizontally == image)
  }

  @Test func mistakesAreReported() {
    let image = testImage(5, 3)
    for body: @Sendable () -> Void in [
      { _ = image.resized(width: 0, height: 3) },
      { _ = image.cropped(x: 0, y: 0, width: 0, height: 1) },
      { _ = image.padded(left: -1) }, { _ = image[5, 0] },
      { _ = image.transformed(AffineMap(scale: 0)) },
      { _ = Image(width: 2, height: 2, channels: 3, bytes: [1]) },
    ] {
      #expect(throws: Diagnostic.self) { try Diagnostic.catching(body) }
    }
  }
}

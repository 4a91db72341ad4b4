import Foundation
import Tarn
import TarnData
import Testing

@Suite struct AugmentationTests {
  @Test func randomPartsHaveTheSharesAskedFor() throws {
    // Each pixel tells its column and row.
    var bytes: [UInt8] = []
    for y in 0..<100 {
      for x in 0..<160 { bytes += [UInt8(x), UInt8(y), 0] }
    }
    let image = Image(width: 160, height: 100, channels: 3, bytes: bytes)
    let crop = RandomResizedCrop(
      [20, 20], scale: 0.1...0.5, ratio: 0.5...2, interpolation: .nearest)
    var generator = SeededGenerator(seed: 2)
    var shares: [Double] = []
    for _ in 0..<300 {
      let part = try crop(image, using: &generator)
      #expect((part.width, part.height) == (20, 20))
      // From the first to the last pixel is 19 of 20 steps.
      let (right, left) = (Double(part[19, 0][0]), Double(part[0, 0][0]))
      let (bottom, top) = (Double(part[0, 19][1]), Double(part[0, 0][1]))
      let width: Double = (right - left) * 20 / 19
      let height: Double = (bottom - top) * 20 / 19
      let share: Double = width * height / 16_000
      let shape: Double = width / height
      #expect((0.07...0.56).contains(share) && (0.4...2.4).contains(shape))
      shares.append(share)
    }
    #expect(abs(shares.reduce(0, +) / 300 - 0.3) < 0.03)
    #expect((shares.min() ?? 1) < 0.14 && (shares.max() ?? 0) > 0.44)
  }

  @Test func partsThatNeverFitAreTheMiddle() throws {
    var generator = SeededGenerator(seed: 1)
    let line = testImage(200, 1)
    let part = try RandomResizedCrop([1, 1], scale: 1...1)(line, using: &generator)
    #expect((part.width, part.height) == (1, 1))
  }

  @Test func croppingPadsWhatIsTooSmall() throws {
    var generator = SeededGenerator(seed: 1)
    let image = Image(width: 32, height: 32, filledWith: [200])
    var blackShares: Set<Int> = []
    for _ in 0..<50 {
      let part = try RandomCrop(32, padding: 4)(image, using: &generator)
      #expect((part.width, part.height) == (32, 32))
      blackShares.insert(part.bytes.count { $0 == 0 })
    }
    #expect(blackShares.count > 5)
    let large = try RandomCrop([40, 50])(image, using: &generator)
    #expect((large.width, large.height) == (50, 40))
  }

  @Test func chancesAreThoseAskedFor() throws {
    let image = testImage(4, 3)
    var generator = SeededGenerator(seed: 3)
    func rate(_ transform: some ImageTransform) throws -> Double {
      let changed = try (0..<1000).filter { _ in try transform(image, using: &generator) != image }
      return Double(changed.count) / 1000
    }
    #expect(abs(try rate(RandomHorizontalFlip()) - 0.5) < 0.05)
    #expect(abs(try rate(RandomVerticalFlip(probability: 0.2)) - 0.2) < 0.05)
    #expect(abs(try rate(RandomGrey(probability: 0.7)) - 0.7) < 0.05)
    #expect(try rate(RandomRotation(0)) == 0)
    #expect(try rate(ColourJitter()) == 0)
    #expect(try rate(RandomAffine(degrees: 0...0, translation: [0, 0])) == 0)
  }

  @Test func coloursChangeWithinTheirBounds() throws {
    let grey = Image(width: 1, height: 1, filledWith: [100, 100, 100])
    var generator = SeededGenerator(seed: 3)
    var values: [UInt8] = []
    for _ in 0..<300 {
      values.append(ColourJitter(brightness: 0.4)(grey, using: &generator).bytes[0])
    }
    #expect((values.min() ?? 0) >= 60 && (values.min() ?? 0) < 65)
    #expect((values.max() ?? 0) <= 140 && (values.max() ?? 0) > 135)
  }

  @Test func everyChangeOfRandAugmentChangesSomething() throws {
    let image = testImage(31, 23)
    let strong = RandAugment(magnitude: 20)
    for change in RandAugment.Change.allCases {
      let changed = strong.apply(change, to: image)
      #expect((changed.width, changed.height) == (31, 23))
      if change != .identity { #expect(changed != image, "\(change)") }
      let opposite = strong.apply(change, to: image, isNegative: true)
      let hasSign = ![.identity, .posterize, .solarize, .autocontrast, .equalize].contains(change)
      #expect((changed != opposite) == hasSign, "\(change)")
    }
    let none = RandAugment(magnitude: 0)
    for change in [RandAugment.Change.shearX, .rotate, .brightness, .contrast] {
      #expect(none.apply(change, to: image) == image, "\(change)")
    }
  }

  @Test func erasingLeavesTheRest() throws {
    let picture = Tensor.ones([3, 40, 30])
    var generator = SeededGenerator(seed: 8)
    var shares: [Double] = []
    for _ in 0..<200 {
      let erased = RandomErasing(probability: 1, filling: .constant([5, 6, 7]))(
        picture, using: &generator)
      let values = erased.array(of: Float.self)
      for channel in 0..<3 {
        let plane = values[(channel * 1200)..<((channel + 1) * 1200)]
        #expect(plane.allSatisfy { $0 == 1 || $0 == Float(5 + channel) })
      }
      shares.append(Double(values.count { $0 != 1 }) / 3600)
    }
    #expect((shares.min() ?? 0) > 0.01 && (shares.max() ?? 1) < 0.36)
    #expect(abs(shares.reduce(0, +) / 200 - 0.175) < 0.03)
    let never = RandomErasing(probability: 0)(picture, using: &generator)
    #expect(never.bytes() == picture.bytes())
  }

  @Test func mixingKeepsSharesOfOne() throws {
    let numbers: [Float] = (0..<120).map { Float($0 / 30) }
    let features = Tensor(numbers, shape: [4, 1, 6, 5])
    let batch = Batch(features: features, labels: Tensor([Int64(2), 0, 1, 2]))
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<50 {
      let soft = Mixup(alpha: 0.4)(batch, classes: 3, using: &generator)
      #expect(soft.labels.shape == [4, 3])
      let share: Double = soft.labels[1, 0].item()
      // Picture 1 is all ones, the one before all zeros; its label is 0, the other's 2.
      let value: Double = soft.features[1, 0, 3, 3].item()
      let other: Double = soft.labels[1, 2].item()
      #expect(abs(value - share) < 1e-6 && abs(share + other - 1) < 1e-6)

      let cut = CutMix()(batch, classes: 3, using: &generator)
      let pasted = Double(cut.features[1].array(of: Float.self).count { $0 == 0 })
      let kept: Double = cut.labels[1, 0].item()
      let wanted: Double = 1 - pasted / 30
      #expect(abs(kept - wanted) < 1e-6)
    }
    let source = TensorSource(features: features, labels: batch.labels)
      .mixed(classes: 3, seed: 1)
    let first = try source.batch(at: [0, 1, 2, 3], epoch: 0)
    #expect(
      try source.batch(at: [0, 1, 2, 3], epoch: 0).features.bytes() == first.features.bytes())
    #expect(try source.batch(at: [0, 1, 2, 3], epoch: 1).labels.bytes() != first.labels.bytes())
    #expect(try source.sample(at: 1).label.array(of: Float.self) == [1, 0, 0])
  }

  @Test func mistakesAreReported() {
    for body: @Sendable () -> Void in [
      { _ = RandomResizedCrop([0, 3]) }, { _ = RandomResizedCrop(3, ratio: 0...1) },
      { _ = ColourJitter(hue: 0.6) }, { _ = RandAugment(magnitude: 31) },
      { _ = Mixup(alpha: 0) }, { _ = RandomAffine(degrees: 0...1, scale: 0...1) },
    ] {
      #expect(throws: Diagnostic.self) { try Diagnostic.catching(body) }
    }
  }
}

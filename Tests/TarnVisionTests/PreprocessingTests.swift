import Foundation
import Tarn
import TarnData
import Testing

@Suite struct PreprocessingTests {
  @Test func inputsAreTorchvisions() throws {
    let goldens = try Goldens.shared.get()
    for name in ["input_wide", "input_high", "input_small"] {
      let image = try Image(encoded: try goldens.bytes("\(name)/file"))
      for interpolation in [Preprocessing.Interpolation.bilinear, .bicubic] {
        let rule = Preprocessing(
          resize: .shortSide(20), rounding: .torchvision, crop: [18, 18],
          interpolation: interpolation)
        let wanted = try goldens.tensor("\(name)/\(interpolation.rawValue)")
        let found = try rule(image)
        #expect(found.shape == [3, 18, 18])
        let worst: Double = (found - wanted).abs().max().item()
        // Rounding of (x / 255 − mean) / deviation; a step of a byte would be 0.017.
        #expect(worst < 1e-6, "\(name) \(interpolation): \(worst)")
      }
    }
  }

  @Test func channelOrderAndScaleAreTheRules() throws {
    let image = Image(width: 2, height: 1, channels: 3, bytes: [10, 20, 30, 40, 50, 60])
    let caffe = Preprocessing(
      resize: .none, crop: nil, channelOrder: .bgr, scale: 1, mean: [1, 2, 3], deviation: [1, 1, 2])
    #expect(try caffe(image).array(of: Float.self) == [29, 59, 18, 48, 3.5, 18.5])
    let grey = Image(width: 1, height: 1, channels: 1, bytes: [51])
    let one = Preprocessing(resize: .none, crop: nil, mean: [0.5], deviation: [0.5])
    let values = try one(grey).array(of: Float.self)
    #expect(values.allSatisfy { abs($0 + 0.6) < 1e-6 } && values.count == 3)
  }

  @Test func inputsCanBeShown() throws {
    let image = testImage(9, 7)
    for order in Preprocessing.ChannelOrder.allCases {
      let rule = Preprocessing(resize: .none, crop: nil, channelOrder: order)
      #expect(rule.image(showing: rule.normalized(image)) == image)
      #expect(rule.image(showing: try rule(image)) == image)
    }
    let loud = Preprocessing.imageNet.image(showing: Tensor.full([3, 1, 2], 100))
    #expect(loud.bytes == [255, 255, 255, 255, 255, 255])
  }

  @Test func sizesThatCannotBeAreRefused() throws {
    let line = testImage(20_000, 1)
    expectDataError(.unsupported, "5120000×256") { _ = try Preprocessing(crop: nil)(line) }
    #expect(try Preprocessing()(line).shape == [3, 224, 224])
    for body: @Sendable () -> Void in [
      { _ = line.resized(width: 1 << 20, height: 1 << 20) }, { _ = line.padded(left: .max) },
      { _ = line.cropped(x: 0, y: 0, width: 1 << 24, height: 1 << 24) },
      { _ = Image(width: .max, height: .max, filledWith: [0]) },
    ] {
      #expect(throws: Diagnostic.self) { try Diagnostic.catching(body) }
    }
  }

  @Test func filesThatCannotBeReadAreListed() throws {
    let folder = try TemporaryFolder()
    let sound = try testImage(30, 20).encoded(as: .jpeg)
    let files = try [
      folder.write(sound, to: "a.jpg"), folder.write([], to: "empty.jpg"),
      folder.write(Array("hello".utf8), to: "text.jpg"),
      folder.write(testImage(1, 1).encoded(as: .png), to: "one.png"),
      folder.write(Array(sound[..<(sound.count / 2)]), to: "cut.jpg"), folder.file("missing.jpg"),
      folder.write(testImage(20_000, 2).encoded(as: .jpeg), to: "قطة.jpg"),
    ]
    let rule = Preprocessing(resize: .shortSide(16), crop: [12, 12])
    var bits: [[UInt8]] = []
    for threads in [1, 2, 5] {
      let batch = try rule.batch(contentsOf: files, threads: threads)
      #expect(batch.indices == [0, 3, 6])
      #expect(batch.features.shape == [3, 3, 12, 12])
      #expect(batch.failures.map(\.index) == [1, 2, 4, 5])
      #expect(batch.failures[0].reason.contains("empty"))
      for (row, index) in batch.indices.enumerated() {
        let wanted = try rule(contentsOf: files[index])
        #expect(batch.features[row].bytes() == wanted.bytes())
      }
      bits.append(batch.features.bytes())
    }
    #expect(bits[0] == bits[1] && bits[0] == bits[2])
    #expect(throws: Diagnostic.self) {
      _ = try Preprocessing(crop: nil).batch(contentsOf: files)
    }
  }

  @Test(.enabled(if: realData != nil, realDataMissing))
  func publishedInputsAreReproduced() throws {
    let data = try #require(realData)
    let rules: [(String, Preprocessing)] = [
      ("efficientnet_lite0", Preprocessing(interpolation: .bicubic)),
      (
        "squeezenet1_1",
        Preprocessing(
          crop: [227, 227], channelOrder: .bgr, scale: 1, mean: [104, 117, 123], deviation: [1])
      ),
      (
        "mobilenet_v1_0.25_224",
        Preprocessing(scale: 1, mean: [127.5], deviation: [127.5])
      ),
    ]
    for (model, rule) in rules {
      let golden = try Weights(
        contentsOf: data.appendingPathComponent("golden/\(model)_logits.safetensors"))
      for photo in ["chelsea.png", "grace_hopper.jpg"] {
        let stem = String(photo.split(separator: ".")[0])
        let wanted = try #require(golden["\(stem).input"])[0]
        let found = try rule(contentsOf: data.appendingPathComponent("photos/\(photo)"))
        let bytes = (found - wanted).abs() * (rule.deviation[0] / rule.scale)
        let (worst, mean): (Double, Double) = (bytes.max().item(), bytes.mean().item())
        // Libraries that decode JPEG may round a byte up or down; so few that none shows.
        #expect(worst < 1.01 && mean < 0.01, "\(model) \(photo): \(worst), \(mean)")
      }
    }
  }

  @Test func largePicturesAreReadSmallerIfAskedFor() throws {
    let folder = try TemporaryFolder()
    let large = testImage(60, 40).resized(width: 600, height: 400, interpolation: .bicubic)
    let file = try folder.write(large.encoded(as: .jpeg), to: "large.jpg")
    let rule = Preprocessing(resize: .shortSide(48), crop: [48, 48], mean: [0], deviation: [1])
    let exact = try rule(contentsOf: file)
    let fast = try rule(contentsOf: file, ImageReading(reducesLargePictures: true))
    let worst: Double = (fast - exact).abs().max().item()
    #expect(worst > 0 && worst < 0.1, "\(worst)")
    let direct = try rule(contentsOf: file, ImageReading(reduction: 4))
    #expect(direct.bytes() == fast.bytes())
    // Of less than twice the size nothing changes.
    let wide = Preprocessing(resize: .shortSide(250), crop: [48, 48])
    let same = try wide(contentsOf: file, ImageReading(reducesLargePictures: true))
    #expect(same.bytes() == (try wide(contentsOf: file)).bytes())
  }

  @Test(.enabled(if: realData != nil, realDataMissing))
  func cifarInputsAreReproduced() throws {
    let data = try #require(realData)
    let golden = try Weights(
      contentsOf: data.appendingPathComponent("golden/cifar10_resnet20_logits.safetensors"))
    let input = try #require(golden["input"])
    let rule = Preprocessing(
      resize: .exactly(height: 32, width: 32), crop: nil, interpolation: .bicubic)
    for (row, photo) in ["astronaut.png", "chelsea.png", "china.jpg"].enumerated() {
      let found = try rule(contentsOf: data.appendingPathComponent("photos/\(photo)"))
      let worst: Double = (found - input[row]).abs().max().item()
      #expect(worst < 0.02, "\(photo): \(worst)")
    }
  }

  /// What a network trained by others says of photographs read here is what it says in PyTorch.
  @Test(.enabled(if: realData != nil, realDataMissing))
  func publishedAnswersAreReproduced() throws {
    struct Answers: Decodable {
      struct Answer: Decodable { let top5: [[Double]] }
      let images: [String: Answer]
    }
    let data = try #require(realData)
    let answers = try JSONDecoder().decode(
      Answers.self,
      from: Data(contentsOf: data.appendingPathComponent("golden/squeezenet1_1_top5.json")))
    let folder = data.appendingPathComponent("models/squeezenet1_1")
    let weights = try Weights(
      contentsOf: folder.appendingPathComponent("squeezenet1_1_float32.safetensors"))
    let model = try SqueezeNet(.v1_1).loading(weights).model
    let rule = Preprocessing(
      crop: [227, 227], channelOrder: .bgr, scale: 1, mean: [104, 117, 123], deviation: [1])
    let names = answers.images.keys.sorted()
    let batch = try rule.batch(contentsOf: names.map { data.appendingPathComponent($0) })
    #expect(batch.failures.isEmpty && names.count > 40)
    for start in stride(from: 0, to: names.count, by: 8) {
      let end = min(start + 8, names.count)
      let shares = model(batch.features[start..<end]).softmax(axis: 1)
      for place in start..<end {
        let wanted = try #require(answers.images[names[place]]?.top5.first)
        let share: Double = shares[place - start, Int(wanted[0])].item()
        #expect(abs(share - wanted[1]) < 1e-3, "\(names[place]): \(share), \(wanted)")
        let best = shares[place - start].argMax(axis: 0).array(of: Int.self)
        #expect(best == [Int(wanted[0])], "\(names[place])")
      }
    }
  }
}

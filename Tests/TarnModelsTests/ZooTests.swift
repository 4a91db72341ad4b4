import Foundation
import Tarn
import Testing

@Suite struct ZooTests {
  @Test("A network has as many parameters as published", arguments: Zoo.names)
  func parameterCounts(name: String) throws {
    let entry = try Zoo.entry(name)
    #expect(Initialization.skipped { entry.model() }.parameterCount == entry.parameterCount)
  }

  @Test(arguments: [
    ("resnet50", "resnet50"), ("vgg16_bn", "vgg16-bn"), ("VGG16-BN", "vgg16-bn"),
    ("squeezenet1_1", "squeezenet1_1"), ("squeezenet1-1", "squeezenet1_1"),
    ("SqueezeNet1.1", "squeezenet1_1"), ("mobilenet_v2", "mobilenet-v2"),
    ("mobilenet-v1-0.25", "mobilenet-v1-0.25"), ("MobileNetV3-Small", "mobilenet-v3-small"),
    ("vit_b_16", "vit-b-16"), ("inception_v3", "inception-v3"),
    ("cifar_resnet20", "cifar-resnet20"), ("wide_resnet50_2", "wide-resnet50-2"),
    ("mobilenet_v2_0.5", "mobilenet-v2-0.5"), ("efficientnet_lite0", "efficientnet-lite0"),
  ])
  func names(typed: String, name: String) throws {
    #expect(try Zoo.entry(typed).name == name)
  }

  @Test(arguments: [
    ("resnet51", "resnet50"), ("resnext50", "resnext50-32x4d"), ("efficientnet", "efficientnet-b0"),
    ("mobilnet-v2", "mobilenet-v2"), ("mobilenet-v2-0", "mobilenet-v2"), ("zzz", "there are"),
  ])
  func unknownNames(typed: String, hint: String) {
    #expect {
      try Zoo.entry(typed)
    } throws: {
      "\($0)".contains("'\(typed)'") && "\($0)".contains(hint)
    }
  }

  @Test func namesAreTheirOwn() {
    #expect(Set(Zoo.names).count == Zoo.names.count)
    for name in ["lenet", "googlenet", "alexnet", "densenet121", "convnext-tiny"] {
      #expect(Zoo.names.contains(name))
    }
  }

  @Test(arguments: Zoo.names) func anEntrySaysWhatItIs(name: String) throws {
    let entry = try Zoo.entry(name)
    #expect(!entry.family.isEmpty && !entry.summary.isEmpty && entry.inputShape.count == 3)
    for published in entry.weights {
      #expect(published.resource.url.hasPrefix("https://"))
      #expect(published.resource.licence != nil)
      #expect(published.labels.names.count == published.classes)
      #expect((published.accuracy?.top1 ?? 0) > 40)
      #expect(published.preprocessing.mean.count == entry.inputShape[0])
      let digits = published.resource.sha256 ?? "00000000"
      #expect([8, 64].contains(digits.count) && digits.allSatisfy { $0.isHexDigit })
      #expect(published.matches(file: "somewhere/\(published.resource.file)"))
      #expect(!published.matches(file: "other.pth"))
    }
  }

  @Test func widthsAreFactors() throws {
    let half = try Zoo.entry("mobilenet-v1-0.5")
    // Those of TensorFlow's model card.
    #expect(half.parameterCount == 1_331_592)
    #expect(try Zoo.entry("mobilenet-v1").parameterCount == 4_231_976)
    #expect(try Zoo.entry("mobilenet-v2-1.4").parameterCount == 6_108_776)
  }

  @Test func classesHaveNames() {
    #expect(ClassLabels.imageNet.names.count == 1000)
    #expect(ClassLabels.imageNet.names[0] == "tench, Tinca tinca")
    #expect(ClassLabels.imageNet.names[285] == "Egyptian cat")
    #expect(ClassLabels.imageNet.names[999] == "toilet tissue, toilet paper, bathroom tissue")
    #expect(ClassLabels.imageNetWithBackground.names[286] == "Egyptian cat")
    #expect(ClassLabels.cifar10.names[3] == "cat")
  }
}

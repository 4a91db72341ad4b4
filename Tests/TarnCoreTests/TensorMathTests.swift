import TarnCore
import Testing

/// Expected numbers from NumPy 2.4 and SciPy 1.17.
@Suite struct TensorMathTests {
  typealias Case = (name: String, function: @Sendable (Tensor) -> Tensor, expected: [Double])

  static let real: [Case] = [
    ("exp", { $0.exp() }, [0.049787068368, 0.606530659713, 1, 1.6487212707, 20.085536923188]),
    (
      "expm1", { $0.expm1() }, [-0.950212931632, -0.393469340287, 0, 0.6487212707, 19.085536923188]
    ),
    ("sin", { $0.sin() }, [-0.14112000806, -0.479425538604, 0, 0.479425538604, 0.14112000806]),
    ("cos", { $0.cos() }, [-0.9899924966, 0.87758256189, 1, 0.87758256189, -0.9899924966]),
    ("tan", { $0.tan() }, [0.142546543074, -0.546302489844, 0, 0.546302489844, -0.142546543074]),
    ("atan", { $0.atan() }, [-1.249045772398, -0.463647609001, 0, 0.463647609001, 1.249045772398]),
    ("sinh", { $0.sinh() }, [-10.01787492741, -0.521095305494, 0, 0.521095305494, 10.01787492741]),
    ("cosh", { $0.cosh() }, [10.067661995778, 1.127625965206, 1, 1.127625965206, 10.067661995778]),
    ("tanh", { $0.tanh() }, [-0.995054753687, -0.46211715726, 0, 0.46211715726, 0.995054753687]),
    ("erf", { $0.erf() }, [-0.999977909503, -0.520499877813, 0, 0.520499877813, 0.999977909503]),
    (
      "sigmoid", { $0.sigmoid() },
      [0.047425873178, 0.377540668798, 0.5, 0.622459331202, 0.952574126822]
    ),
    (
      "softplus", { $0.softplus() },
      [0.048587351574, 0.47407698418, 0.69314718056, 0.97407698418, 3.048587351574]
    ),
    (
      "logSigmoid", { $0.logSigmoid() },
      [-3.048587351574, -0.97407698418, -0.69314718056, -0.47407698418, -0.048587351574]
    ),
    ("gelu", { $0.gelu() }, [-0.004049694095, -0.154268769363, 0, 0.345731230637, 2.995950305905]),
    (
      "gelu tanh", { $0.gelu(approximate: true) },
      [-0.003637392082, -0.154285990175, 0, 0.345714009825, 2.996362607918]
    ),
    ("silu", { $0.silu() }, [-0.142277619533, -0.188770334399, 0, 0.311229665601, 2.857722380467]),
    ("elu", { $0.elu() }, [-0.950212931632, -0.393469340287, 0, 0.5, 3]),
    ("leakyReLU", { $0.leakyReLU() }, [-0.03, -0.005, 0, 0.5, 3]),
    ("relu", { $0.relu() }, [0, 0, 0, 0.5, 3]),
    ("hardSigmoid", { $0.hardSigmoid() }, [0, 0.416666666667, 0.5, 0.583333333333, 1]),
    ("hardSwish", { $0.hardSwish() }, [0, -0.208333333333, 0, 0.291666666667, 3]),
    ("abs", { $0.abs() }, [3, 0.5, 0, 0.5, 3]),
    ("sign", { $0.sign() }, [-1, -1, 0, 1, 1]),
    ("floor", { $0.floor() }, [-3, -1, 0, 0, 3]),
    ("ceil", { $0.ceil() }, [-3, 0, 0, 1, 3]),
    ("round", { $0.round() }, [-3, 0, 0, 0, 3]),
    ("squared", { $0.squared() }, [9, 0.25, 0, 0.25, 9]),
  ]
  static let positive: [Case] = [
    ("log", { $0.log() }, [-2.302585092994, -0.69314718056, 0, 0.69314718056, 2.302585092994]),
    (
      "log1p", { $0.log1p() },
      [0.095310179804, 0.405465108108, 0.69314718056, 1.098612288668, 2.397895272798]
    ),
    ("log2", { $0.log2() }, [-3.321928094887, -1, 0, 1, 3.321928094887]),
    ("log10", { $0.log10() }, [-1, -0.301029995664, 0, 0.301029995664, 1]),
    ("sqrt", { $0.sqrt() }, [0.316227766017, 0.707106781187, 1, 1.414213562373, 3.162277660168]),
    ("rsqrt", { $0.rsqrt() }, [3.162277660168, 1.414213562373, 1, 0.707106781187, 0.316227766017]),
    ("reciprocal", { $0.reciprocal() }, [10, 2, 1, 0.5, 0.1]),
  ]
  static let unit: [Case] = [
    ("asin", { $0.asin() }, [-1.119769514999, -0.523598775598, 0, 0.523598775598, 1.119769514999]),
    (
      "acos", { $0.acos() },
      [2.690565841794, 2.094395102393, 1.570796326795, 1.047197551197, 0.451026811796]
    ),
    (
      "erfInverse", { $0.erfInverse() },
      [-1.163087153677, -0.476936276204, 0, 0.476936276204, 1.163087153677]
    ),
  ]

  private func check(_ cases: [Case], at points: [Double]) {
    for (name, function, expected) in cases {
      let y = function(Tensor(points))
      #expect(y.dtype == .float64, "\(name)")
      #expect(agree(y, expected, 1e-10), "\(name): \(y)")
      let single = function(Tensor(points).cast(to: .float32))
      #expect(single.dtype == .float32, "\(name)")
      #expect(agree(single, expected, 2e-6), "\(name): \(single)")
    }
  }

  @Test func values() {
    check(Self.real, at: [-3, -0.5, 0, 0.5, 3])
    check(Self.positive, at: [0.1, 0.5, 1, 2, 10])
    check(Self.unit, at: [-0.9, -0.5, 0, 0.5, 0.9])
  }

  @Test func integersGiveFloat32() {
    let x = Tensor([0, 1, 4])
    #expect(x.sqrt().dtype == .float32)
    #expect(agree(x.sqrt(), [0, 1, 2]))
    #expect(x.abs().dtype == .int64)
    #expect(x.floor().dtype == .int64)
    #expect((-x).relu().integers == [0, 0, 0])
    #expect((-x).sign().integers == [0, -1, -1])
    #expect(x.softmax().dtype == .float32)
  }

  @Test func extremes() {
    let x = Tensor([-1000, 1000, -.infinity, .infinity] as [Float])
    #expect(agree(x.softplus(), [0, 1000, 0, .infinity]))
    #expect(agree(x.logSigmoid(), [-1000, 0, -.infinity, 0]))
    #expect(agree(x.sigmoid(), [0, 1, 0, 1]))
    #expect(agree(x.elu(), [-1, 1000, -1, .infinity]))
    #expect(agree(Tensor([89, -89] as [Float]).sinh() / 1e38, [2.2448062, -2.2448062], 1e-5))
    #expect(agree(Tensor([1e-8]).sinh() * 1e8, [1], 1e-12))
    let y = Tensor([1000, 0, -.infinity, .infinity] as [Float])
    #expect(agree(y.logAddExp(y), [1000.6931472, 0.6931472, -.infinity, .infinity]))
    #expect(agree(Tensor([0.0]).logAddExp(Tensor([-40.0])) * 1e17, [0.4248354255], 1e-9))
    #expect(x.isFinite().bools == [true, true, false, false])
    #expect(Tensor([1, .nan]).isNaN().bools == [false, true])
  }

  /// Worked by hand: the first derivative at 0, then the second.
  @Test func derivativesAtTheSeams() {
    let zero = Tensor(0, dtype: .float64)
    func check(_ f: @escaping @Sendable (Tensor) -> Tensor, _ first: Double, _ second: Double) {
      #expect(abs(grad(f, at: zero).item() - first) < 1e-12)
      #expect(abs(grad({ grad(f, at: $0) }, at: zero).item() - second) < 1e-12)
    }
    check({ $0.softplus() }, 0.5, 0.25)
    check({ $0.logSigmoid() }, 0.5, -0.25)
    check({ $0.logAddExp(Tensor(0, dtype: .float64)) }, 0.5, 0.25)
    check({ $0.sinh() }, 1, 0)
    check({ $0.cosh() }, 0, 1)
    check({ $0.silu() }, 0.5, 0.5)
    check({ $0.pow(2) }, 0, 2)
    check({ $0.norm() }, 0, 0)
    #expect(agree(grad({ $0.elu().sum() }, at: Tensor([-1000, 1000] as [Float])), [0, 1]))
    #expect(agree(grad({ $0.softplus().sum() }, at: Tensor([-1000, 1000] as [Float])), [0, 1]))
    #expect(agree(grad({ $0.hardSigmoid().sum() }, at: Tensor([-3.0, 0, 3])), [0, 1 / 6, 0]))
  }
}

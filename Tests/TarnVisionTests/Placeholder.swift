import Tarn

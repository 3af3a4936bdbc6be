print("end", used())

module mop.test/snakecase

go 1.22

require github.com/huandu/xstrings v1.5.0
